import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";

type Parameters = Readonly<Record<string, unknown>>;
type Answer = Readonly<Record<string, unknown>>;

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: Parameters;
  readonly result?: Answer;
  readonly error?: { readonly message: string };
}

/**
 * Debian's Chromium without a window, with one page. It is driven by the DevTools protocol
 * (https://chromedevtools.github.io/devtools-protocol/), whose messages go through file descriptors 3 and 4, each ended by
 * a zero byte.
 */
export class Chromium {
  /** What the page has complained of on its console, and what it has asked for. */
  readonly complaints: string[] = [];
  readonly requests: string[] = [];
  private readonly waiting = new Map<number, (message: Message) => void>();
  private readonly heard = new Map<string, () => void>();
  private count = 0;
  private session: string | undefined;

  private constructor(
    private readonly process: ChildProcess,
    private readonly profile: string,
  ) {
    let rest = "";
    (process.stdio[4] as Readable).setEncoding("utf8").on("data", (part: string) => {
      const messages = (rest + part).split("\0");
      rest = messages.pop() ?? "";
      for (const message of messages) this.take(JSON.parse(message) as Message);
    });
  }

  static async start(): Promise<Chromium> {
    const profile = mkdtempSync(join(tmpdir(), "apollo-weave-chromium-"));
    // Root, as whom the tests run, gets no sandbox; what is opened is the project's own.
    const flags = ["--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--remote-debugging-pipe"];
    const process = spawn("chromium-headless-shell", [...flags, `--user-data-dir=${profile}`], {
      stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"],
    });
    const chromium = new Chromium(process, profile);
    const ended = new Promise<never>((_, reject) => {
      process.on("error", reject).on("exit", (status) => reject(new Error(`Chromium ended with ${status}`)));
    });
    ended.catch(() => undefined);
    await Promise.race([chromium.attach(), ended]);
    return chromium;
  }

  /** Opens a file, for readers who like it light or dark, in a window of this size; returns when it is drawn. */
  async open(
    path: string,
    width: number,
    height: number,
    scheme: "light" | "dark",
    media: "screen" | "print" = "screen",
  ): Promise<void> {
    await this.send("Emulation.setDeviceMetricsOverride", { width, height, deviceScaleFactor: 1, mobile: false });
    const features = [{ name: "prefers-color-scheme", value: scheme }];
    await this.send("Emulation.setEmulatedMedia", { media, features });
    const loaded = new Promise<void>((resolve) => this.heard.set("Page.loadEventFired", resolve));
    await this.send("Page.navigate", { url: `file://${path}` });
    await loaded;
  }

  /** Returns what an expression in the page comes to. */
  async evaluate<Value>(expression: string): Promise<Value> {
    const { result, exceptionDetails } = await this.send("Runtime.evaluate", { expression, returnByValue: true });
    if (exceptionDetails) throw new Error(JSON.stringify(exceptionDetails));
    return (result as { value: Value }).value;
  }

  /** Returns the whole page as it is on the screen, as PNG. */
  async screenshot(): Promise<Buffer> {
    const { data } = await this.send("Page.captureScreenshot", { captureBeyondViewport: true });
    return Buffer.from(data as string, "base64");
  }

  /** Returns the page as it is on paper, as PDF. */
  async print(): Promise<Buffer> {
    const { data } = await this.send("Page.printToPDF", { preferCSSPageSize: true, printBackground: false });
    return Buffer.from(data as string, "base64");
  }

  async stop(): Promise<void> {
    // With its descendants, which a kill would leave.
    const ended = new Promise((resolve) => this.process.on("close", resolve));
    this.session = undefined;
    await this.send("Browser.close");
    await ended;
    rmSync(this.profile, { recursive: true, force: true, maxRetries: 5 });
  }

  private async attach(): Promise<void> {
    const { targetId } = await this.send("Target.createTarget", { url: "about:blank" });
    const { sessionId } = await this.send("Target.attachToTarget", { targetId, flatten: true });
    this.session = sessionId as string;
    for (const domain of ["Page", "Runtime", "Log", "Network"]) await this.send(`${domain}.enable`);
  }

  private send(method: string, params: Parameters = {}): Promise<Answer> {
    const id = ++this.count;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, ({ result, error }) => {
        if (result) resolve(result);
        else reject(new Error(`${method}: ${error?.message}`));
      });
      const message = { id, method, params, ...(this.session !== undefined ? { sessionId: this.session } : {}) };
      (this.process.stdio[3] as Writable).write(`${JSON.stringify(message)}\0`);
    });
  }

  private take(message: Message): void {
    const { id, method = "", params = {} } = message;
    if (id !== undefined) {
      this.waiting.get(id)?.(message);
      this.waiting.delete(id);
    }
    if (["Log.entryAdded", "Runtime.consoleAPICalled", "Runtime.exceptionThrown"].includes(method)) {
      this.complaints.push(JSON.stringify(params));
    }
    if (method === "Network.requestWillBeSent") this.requests.push((params["request"] as { url: string }).url);
    this.heard.get(method)?.();
  }
}
