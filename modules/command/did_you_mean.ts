import { closest, distance } from "fastest-levenshtein";

/** A question that names the known word that was probably meant, after these dashes; null if none is similar. */
export function didYouMean(word: string, known: readonly string[], dashes = ""): string | null {
  const meant = closest(word, known);
  return distance(word, meant) <= Math.min(3, word.length / 3) ? `Did you mean ${dashes}${meant}?` : null;
}
