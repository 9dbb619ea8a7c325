import { lowerCase } from "./lower_case.ts";
import { type CharacterSet, ignoresCase, parseRegex, type Place, type RegexNode } from "./regex_syntax.ts";

type Instruction = { take: CharacterSet } | { at: Place } | { fork: number[] } | { done: true };

const MAX_INSTRUCTIONS = 2_000;

/**
 * A test for whether an expression matches somewhere in a text, in time linear in the text, whatever the expression:
 * contexts come from strangers, and a backtracking engine can be made to hang.
 *
 * @throws SyntaxError
 * @see Russ Cox, "Regular Expression Matching: the Virtual Machine Approach"
 */
export function compileRegex(pattern: string, isCaseInsensitive: boolean): (text: string) => boolean {
  const program: Instruction[] = [];
  emit(parseRegex(pattern, isCaseInsensitive), program);
  program.push({ done: true });
  return isCaseInsensitive || ignoresCase(pattern)
    ? (text) => matches(program, lowerCase(text))
    : (text) => matches(program, text);
}

function emit(node: RegexNode, program: Instruction[]): void {
  if (program.length > MAX_INSTRUCTIONS) throw new SyntaxError("too large");
  if ("take" in node || "at" in node) program.push(node);
  else if ("all" in node) node.all.forEach((part) => emit(part, program));
  else if ("any" in node) emitAlternatives(node.any, program);
  else emitRepeat(node, program);
}

function emitAlternatives(branches: RegexNode[], program: Instruction[]): void {
  const start: number[] = [];
  const end: number[] = [];
  if (branches.length > 1) program.push({ fork: start });
  for (const [number, branch] of branches.entries()) {
    start.push(program.length);
    emit(branch, program);
    if (number < branches.length - 1) program.push({ fork: end });
  }
  end.push(program.length);
}

function emitRepeat(node: Extract<RegexNode, { repeat: RegexNode }>, program: Instruction[]): void {
  const { repeat, least, most } = node;
  for (let turn = 0; turn < least; turn++) emit(repeat, program);
  const loop = program.length;
  const ways: number[][] = [];
  for (let turn = least; turn < (most === Infinity ? least + 1 : most); turn++) {
    const fork = [program.length + 1];
    ways.push(fork);
    program.push({ fork });
    emit(repeat, program);
  }
  if (most === Infinity) program.push({ fork: [loop] });
  ways.forEach((fork) => fork.push(program.length));
}

function matches(program: Instruction[], text: string): boolean {
  const points = Array.from(text, (character) => character.codePointAt(0)!);
  let waiting: number[] = [];
  for (let position = 0; position <= points.length; position++) {
    const reached = reachedFrom([...waiting, 0], program, points, position);
    if (!reached) return true;
    const point = points[position];
    waiting = point === undefined ? [] : reached.filter((at) => takes(program[at]!, point)).map((at) => at + 1);
  }
  return false;
}

/** Which characters are waited for once everything was followed that takes none; nothing when the end is among it. */
function reachedFrom(
  starts: number[],
  program: Instruction[],
  points: number[],
  position: number,
): number[] | undefined {
  const seen = new Uint8Array(program.length);
  const taking: number[] = [];
  const open = starts;
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    if (seen[at]) continue;
    seen[at] = 1;
    const instruction = program[at]!;
    if ("done" in instruction) return undefined;
    if ("take" in instruction) taking.push(at);
    else if ("fork" in instruction) open.push(...instruction.fork);
    else if (isAt(instruction.at, points, position)) open.push(at + 1);
  }
  return taking;
}

function takes(instruction: Instruction, point: number): boolean {
  if (!("take" in instruction)) return false;
  const { ranges, isNegated } = instruction.take;
  return ranges.some(([first, last]) => point >= first && point <= last) !== isNegated;
}

const NEWLINE = 10;

function isAt(place: Place, points: number[], position: number): boolean {
  switch (place) {
    case "start":
      return position === 0;
    case "end":
      return position === points.length;
    case "line_start":
      return position === 0 || points[position - 1] === NEWLINE;
    case "line_end":
      return position === points.length || points[position] === NEWLINE;
    default:
      return (isWord(points[position - 1]) !== isWord(points[position])) === (place === "word_boundary");
  }
}

function isWord(point: number | undefined): boolean {
  return point !== undefined && /^\w$/.test(String.fromCodePoint(point));
}
