/**
 * The DNS server, as nameserver/dns.go of v2.8.1: A records of its domain, names of addresses, and all else from the host's
 * own servers. Over UDP and TCP.
 */
import * as dgram from "node:dgram";
import * as net from "node:net";
import { DOMAIN, type Nameserver } from "./nameserver";
import { log, splitHostPort } from "./text";

const A = 1;
const PTR = 12;
const NAME_ERROR = 3;
const SERVER_FAILURE = 2;
const TTL_SECONDS = 1;
const UPSTREAM_MILLISECONDS = 5000;

/** Listens for DNS at `host:port`. Returns how to stop it. Rejects if the port is taken. */
export async function startDns(address: string, names: Nameserver, upstream: () => string[]): Promise<() => void> {
  const { host, port = 53 } = splitHostPort(address);
  const udp = dgram.createSocket("udp4");
  udp.on("message", (query, from) => {
    void reply(query, names, upstream()).then((answer) => answer && udp.send(answer, from.port, from.address));
  });
  await new Promise<void>((done, fail) => {
    udp.once("error", fail);
    udp.bind(port, host, done);
  });
  const tcp = net.createServer((socket) => {
    let bytes = Buffer.alloc(0);
    socket.on("error", () => undefined);
    socket.on("data", (chunk) => {
      bytes = Buffer.concat([bytes, chunk]);
      if (bytes.length < 2 || bytes.length < 2 + bytes.readUInt16BE(0)) return;
      const query = bytes.subarray(2, 2 + bytes.readUInt16BE(0));
      void reply(query, names, upstream()).then((answer) => {
        if (answer) socket.end(Buffer.concat([Buffer.from([answer.length >> 8, answer.length & 255]), answer]));
      });
    });
  });
  await new Promise<void>((done, fail) => {
    tcp.once("error", fail);
    tcp.listen(port, host, done);
  });
  log("INFO", `Listening for DNS queries on ${address}`);
  return () => {
    udp.close();
    tcp.close();
  };
}

interface Question {
  name: string;
  type: number;
  /** Where the question ends in the query. */
  end: number;
}

async function reply(query: Buffer, names: Nameserver, servers: string[]): Promise<Buffer | undefined> {
  const question = parse(query);
  if (!question) return undefined;
  const { name, type } = question;
  const [, reversed] = /^(.*)\.in-addr\.arpa\.$/.exec(name) ?? [];
  if (`.${name}`.endsWith(`.${DOMAIN}`) || name.split(".").length === 2) {
    const found = names.lookup(name);
    if (found.length === 0) return respond(query, question, NAME_ERROR, []);
    return respond(query, question, 0, type === A ? found.map((ip) => Buffer.from(ip.split(".").map(Number))) : []);
  }
  const hostname = reversed === undefined ? undefined : names.reverse(reversed.split(".").reverse().join("."));
  if (hostname !== undefined) return respond(query, question, 0, [encode(hostname)]);
  for (const server of servers) {
    const answer = await ask(query, server);
    if (answer) return answer;
  }
  return respond(query, question, SERVER_FAILURE, []);
}

function parse(query: Buffer): Question | undefined {
  if (query.length < 12 || query.readUInt16BE(4) !== 1) return undefined;
  let name = "";
  let at = 12;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    name += `${query.toString("latin1", at + 1, at + 1 + length).toLowerCase()}.`;
    at += length + 1;
  }
  return at + 5 > query.length ? undefined : { name: name || ".", type: query.readUInt16BE(at + 1), end: at + 5 };
}

function encode(name: string): Buffer {
  const labels = name.split(".").filter(Boolean);
  return Buffer.concat([
    ...labels.flatMap((label) => [Buffer.from([label.length]), Buffer.from(label)]),
    Buffer.from([0]),
  ]);
}

function respond(query: Buffer, question: Question, code: number, answers: Buffer[]): Buffer {
  const head = Buffer.alloc(12);
  head.writeUInt16BE(query.readUInt16BE(0), 0);
  // An authoritative response that offers recursion, and whether it was asked for.
  head.writeUInt16BE(0x8480 | (query.readUInt16BE(2) & 0x0100) | code, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt16BE(answers.length, 6);
  const records = answers.flatMap((data) => {
    const record = Buffer.alloc(12);
    record.writeUInt16BE(0xc00c, 0); // the name in the question
    record.writeUInt16BE(question.type === PTR ? PTR : A, 2);
    record.writeUInt16BE(1, 4);
    record.writeUInt32BE(TTL_SECONDS, 6);
    record.writeUInt16BE(data.length, 10);
    return [record, data];
  });
  return Buffer.concat([head, query.subarray(12, question.end), ...records]);
}

/** Passes a query on to another server; undefined if that does not answer. */
function ask(query: Buffer, server: string): Promise<Buffer | undefined> {
  return new Promise((done) => {
    const socket = dgram.createSocket("udp4");
    const end = (answer?: Buffer): void => {
      clearTimeout(timer);
      socket.close();
      done(answer);
    };
    const timer = setTimeout(end, UPSTREAM_MILLISECONDS);
    socket.once("message", (answer) => end(answer));
    socket.once("error", () => end());
    socket.send(query, 53, server);
  });
}
