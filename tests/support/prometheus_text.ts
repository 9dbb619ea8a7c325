/** One line of a scrape that carries a value. */
export interface ScrapedSample {
  name: string;
  labels: Record<string, string>;
  value: number;
}

/** A metric of a scrape: what stands under one HELP and TYPE. */
export interface ScrapedFamily {
  name: string;
  type: string;
  help: string;
  samples: ScrapedSample[];
}

const NAME = "[a-zA-Z_:][a-zA-Z0-9_:]*";
const LABEL = '([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\\\\n]|\\\\["\\\\n])*)"';
const SAMPLE = new RegExp(`^(${NAME})(?:\\{(${LABEL}(?:,${LABEL})*)\\})? (\\S+)$`);
const NUMBER = /^(?:[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?|[+-]Inf|NaN)$/;

/**
 * Reads a scrape as strictly as the format is written down: a family is HELP, TYPE and its samples, in one piece and once;
 * no series stands twice; a histogram's buckets rise, end at +Inf and agree with its count.
 *
 * @throws the first thing that is wrong
 * @see https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
 */
export function parsePrometheusText(text: string): ScrapedFamily[] {
  if (text !== "" && !text.endsWith("\n")) throw new Error("the last line has no end");
  const families: ScrapedFamily[] = [];
  for (const block of text.split(/^(?=# HELP )/m).filter((each) => each !== "")) families.push(familyOf(block));
  refuseTwice(families.map(({ name }) => name));
  refuseTwice(families.flatMap(({ samples }) => samples.map(seriesOf)));
  for (const family of families) if (family.type === "histogram") checkHistogram(family);
  return families;
}

function familyOf(block: string): ScrapedFamily {
  const [first = "", second = "", ...lines] = block.slice(0, -1).split("\n");
  const [, name, help] = new RegExp(`^# HELP (${NAME}) ((?:[^\\\\]|\\\\[\\\\n])*)$`).exec(first) ?? fault(first);
  const [, typed, type] = new RegExp(`^# TYPE (${NAME}) (counter|gauge|histogram)$`).exec(second) ?? fault(second);
  if (typed !== name) fault(second);
  const samples = lines.map(sampleOf);
  const suffixes = type === "histogram" ? ["_bucket", "_sum", "_count"] : [""];
  for (const sample of samples) if (!suffixes.some((suffix) => sample.name === name + suffix)) fault(seriesOf(sample));
  if (samples.length === 0) fault(`${name} has no samples`);
  return { name: name!, type: type!, help: help!, samples };
}

function sampleOf(line: string): ScrapedSample {
  const [, name, labels = "", ...rest] = SAMPLE.exec(line) ?? fault(line);
  const value = rest.at(-1)!;
  if (!NUMBER.test(value)) fault(line);
  const pairs = [...labels.matchAll(new RegExp(LABEL, "g"))].map(([, label, text]) =>
    [label!, text!.replace(/\\(.)/g, (_, escaped) => escaped === "n" ? "\n" : escaped)] as const
  );
  refuseTwice(pairs.map(([label]) => label));
  return { name: name!, labels: Object.fromEntries(pairs), value: Number(value.replace("Inf", "Infinity")) };
}

function checkHistogram({ name, samples }: ScrapedFamily): void {
  const named = (suffix: string) => samples.filter((sample) => sample.name === name + suffix);
  for (const { labels, value } of named("_count")) {
    const isSame = (other: ScrapedSample) => seriesOf({ ...other, name: "" }) === seriesOf({ name: "", labels, value });
    const buckets = named("_bucket").map(({ labels: { le, ...others }, value }) => ({
      le: Number(le!.replace("Inf", "Infinity")),
      sample: { name, labels: others, value },
    })).filter(({ sample }) => isSame(sample));
    const rises = buckets.every(({ le, sample }, at) =>
      at === 0 || (le > buckets[at - 1]!.le && sample.value >= buckets[at - 1]!.sample.value)
    );
    const last = buckets.at(-1);
    if (!rises || last?.le !== Infinity || last.sample.value !== value) fault(`${name}: buckets`);
    if (named("_sum").filter(isSame).length !== 1) fault(`${name}: sum`);
  }
  if (named("_count").length === 0 || named("_count").length !== named("_sum").length) fault(`${name}: count`);
}

/** A series is its name and its labels, in whatever order. */
function seriesOf({ name, labels }: ScrapedSample): string {
  return JSON.stringify([name, Object.entries(labels).sort()]);
}

function refuseTwice(names: string[]): void {
  const twice = names.find((name, at) => names.indexOf(name) < at);
  if (twice !== undefined) fault(`${twice} stands twice`);
}

function fault(what: string): never {
  throw new Error(`not Prometheus' text format: ${what}`);
}
