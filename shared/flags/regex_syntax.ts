import { lowerCase } from "./lower_case.ts";

/** Characters, by ranges of code points. */
export interface CharacterSet {
  ranges: [first: number, last: number][];
  isNegated: boolean;
}

/** Places between characters. */
export type Place = "start" | "end" | "line_start" | "line_end" | "word_boundary" | "no_word_boundary";

/** A parsed expression. */
export type RegexNode =
  | { take: CharacterSet }
  | { at: Place }
  | { all: RegexNode[] }
  | { any: RegexNode[] }
  | { repeat: RegexNode; least: number; most: number };

interface Flags {
  isMultiline: boolean;
  isDotAll: boolean;
  fold: (text: string) => string;
}

const FLAGS = /^(\^?)\(\?([ims]+)\)/;
const TOKEN = /\\[^]|\[\^?(?:\[:\w+:\]|\\[^]|[^\]\\])+\]|\(\?:|[()|]|\{\d+(?:,\d*)?\}\??|[*+?]\??|[^]/gu;
const MAX_REPEATS = 255;
const ANY: CharacterSet = { ranges: [], isNegated: true };
const CLASSES: Record<string, CharacterSet["ranges"]> = {
  d: rangesOf("09"),
  w: rangesOf("09AZ__az"),
  s: rangesOf("\t\n\f\r  "),
  digit: rangesOf("09"),
  alpha: rangesOf("AZaz"),
  alnum: rangesOf("09AZaz"),
  upper: rangesOf("AZ"),
  lower: rangesOf("az"),
  space: rangesOf("\t\r  "),
  punct: rangesOf("!/:@[`{~"),
  xdigit: rangesOf("09AFaf"),
  word: rangesOf("09AZ__az"),
};
const CONTROLS: Record<string, string> = { t: "\t", n: "\n", r: "\r", f: "\f", v: "\v" };

/** Whether a pattern is matched without regard to case, as `(?i)` asks for. */
export function ignoresCase(pattern: string): boolean {
  return FLAGS.exec(pattern)?.[2]?.includes("i") ?? false;
}

/**
 * Parses the part of RE2's syntax that every engine means alike: no look-around, no references, ASCII classes.
 *
 * @throws SyntaxError
 * @see https://github.com/google/re2/wiki/Syntax
 */
export function parseRegex(pattern: string, isCaseInsensitive: boolean): RegexNode {
  const flags = FLAGS.exec(pattern)?.[2] ?? "";
  const tokens = pattern.replace(FLAGS, "$1").match(TOKEN) ?? [];
  const node = parseAlternatives(tokens, {
    isMultiline: flags.includes("m"),
    isDotAll: flags.includes("s"),
    fold: isCaseInsensitive || flags.includes("i") ? lowerCase : (text) => text,
  });
  if (tokens.length > 0) throw new SyntaxError("a group is closed that was never opened");
  return node;
}

/** Takes tokens from the list until the group ends. */
function parseAlternatives(tokens: string[], flags: Flags): RegexNode {
  const branches: RegexNode[][] = [[]];
  for (let token = tokens[0]; token !== undefined && token !== ")"; token = tokens[0]) {
    tokens.shift();
    if (token === "|") branches.push([]);
    else branches.at(-1)!.push(repeated(parseAtom(token, tokens, flags), tokens));
  }
  return { any: branches.map((all) => ({ all })) };
}

function parseAtom(token: string, tokens: string[], flags: Flags): RegexNode {
  if (token === "(" || token === "(?:") {
    const group = parseAlternatives(tokens, flags);
    if (tokens.shift() !== ")") throw new SyntaxError("a group is not closed");
    return group;
  }
  if (token === "^") return { at: flags.isMultiline ? "line_start" : "start" };
  if (token === "$") return { at: flags.isMultiline ? "line_end" : "end" };
  if (token === "\\b") return { at: "word_boundary" };
  if (token === "\\B") return { at: "no_word_boundary" };
  if (token === ".") return { take: flags.isDotAll ? ANY : { ranges: rangesOf("\n\n"), isNegated: true } };
  if (token.length > 1 && token.startsWith("[")) return { take: parseSet(token, flags) };
  if (/^\\[DWS]$/.test(token)) return { take: { ranges: CLASSES[token[1]!.toLowerCase()]!, isNegated: true } };
  if (/^[*+?[{]/.test(token)) throw new SyntaxError(`${token} stands alone`);
  return { take: { ranges: folded(rangesOfItem(token), flags), isNegated: false } };
}

function repeated(node: RegexNode, tokens: string[]): RegexNode {
  const [, sign, from, comma, to] = /^(?:([*+?])|\{(\d+)(,?)(\d*)\})\??$/.exec(tokens[0] ?? "") ?? [];
  if (sign === undefined && from === undefined) return node;
  tokens.shift();
  if ("at" in node) throw new SyntaxError("a place cannot be repeated");
  if (sign) return { repeat: node, least: sign === "+" ? 1 : 0, most: sign === "?" ? 1 : Infinity };
  const least = Number(from);
  const most = to ? Number(to) : comma ? Infinity : least;
  if (least > MAX_REPEATS || most < least || most !== Infinity && most > MAX_REPEATS) {
    throw new SyntaxError(`repeated more than ${MAX_REPEATS} times, or fewer at most than at least`);
  }
  return { repeat: node, least, most };
}

function parseSet(token: string, flags: Flags): CharacterSet {
  const isNegated = token[1] === "^";
  const items = token.slice(isNegated ? 2 : 1, -1).match(/\[:\w+:\]|\\[^]|[^]/gu) ?? [];
  const ranges: CharacterSet["ranges"] = [];
  while (items.length > 0) {
    const first = rangesOfItem(items.shift()!);
    if (items[0] !== "-" || items.length < 2) {
      ranges.push(...first);
      continue;
    }
    const last = rangesOfItem(items.splice(0, 2)[1]!);
    if (!isOne(first) || !isOne(last) || first[0]![0] > last[0]![0]) throw new SyntaxError(`a range of ${token}`);
    ranges.push([first[0]![0], last[0]![0]]);
  }
  return { ranges: folded(ranges, flags), isNegated };
}

function rangesOfItem(item: string): CharacterSet["ranges"] {
  const name = /^\[:(\w+):\]$/.exec(item)?.[1] ?? /^\\([dws])$/.exec(item)?.[1];
  if (name) {
    if (!CLASSES[name] || item.length > 2 && name.length < 4) throw new SyntaxError(`${item} is no class`);
    return CLASSES[name];
  }
  if (!item.startsWith("\\")) return rangesOf(item + item);
  const escaped = CONTROLS[item[1]!] ?? item.slice(1);
  if (!CONTROLS[item[1]!] && !/^[!-/:-@[-`{-~]$/.test(escaped)) throw new SyntaxError(`${item} is not known here`);
  return rangesOf(escaped + escaped);
}

/** Where case is ignored the text is in lower case: single characters, and the letters A-Z of a range. */
function folded(ranges: CharacterSet["ranges"], { fold }: Flags): CharacterSet["ranges"] {
  return ranges.flatMap(([first, last]): CharacterSet["ranges"] => {
    if (first === last) return rangesOf(fold(String.fromCodePoint(first)).repeat(2));
    const [from, to] = [Math.max(first, 65), Math.min(last, 90)];
    return fold("A") === "a" && from <= to ? [[first, last], [from + 32, to + 32]] : [[first, last]];
  });
}

function isOne(ranges: CharacterSet["ranges"]): boolean {
  return ranges.length === 1 && ranges[0]![0] === ranges[0]![1];
}

function rangesOf(ends: string): CharacterSet["ranges"] {
  const points = Array.from(ends, (end) => end.codePointAt(0)!);
  return points.flatMap((first, at): CharacterSet["ranges"] => at % 2 === 0 ? [[first, points[at + 1]!]] : []);
}
