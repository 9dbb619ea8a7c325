/** A metric as `metric_samples()` gives it. */
export interface MetricFamily {
  name: string;
  type: string;
  help: string;
  samples: Sample[];
}

interface Sample {
  labels: Record<string, unknown>;
  /** A histogram's is the sum of what was observed. */
  value: number;
  /** Of a histogram: upper bound -> how many observations lie in that bucket alone. */
  buckets?: Record<string, number>;
}

/** What a scraper is told to expect. */
export const PROMETHEUS_TEXT = "text/plain; version=0.0.4; charset=utf-8";

/**
 * Metrics in Prometheus' text format.
 *
 * @see https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
 */
export function prometheusText(families: readonly MetricFamily[]): string {
  return families.map(({ name, type, help, samples }) =>
    `# HELP ${name} ${escaped(help, /[\\\n]/g)}\n# TYPE ${name} ${type}\n${
      samples.flatMap((sample) => type === "histogram" ? histogramLines(name, sample) : [line(name, sample)]).join("")
    }`
  ).join("");
}

function line(name: string, { labels, value }: Sample): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escaped(String(text), /[\\\n"]/g)}"`);
  return `${name}${pairs.length > 0 ? `{${pairs.join(",")}}` : ""} ${value}\n`;
}

/** Buckets hold what is at most their bound, those before them included; the last one everything. */
function histogramLines(name: string, { labels, value, buckets = {} }: Sample): string[] {
  const bounds = Object.keys(buckets).sort((a, b) => numberOf(a) - numberOf(b));
  let count = 0;
  const lines = bounds.map((bound) => {
    count += buckets[bound]!;
    return line(`${name}_bucket`, { labels: { ...labels, le: bound }, value: count });
  });
  if (bounds.at(-1) !== "+Inf") lines.push(line(`${name}_bucket`, { labels: { ...labels, le: "+Inf" }, value: count }));
  return [...lines, line(`${name}_sum`, { labels, value }), line(`${name}_count`, { labels, value: count })];
}

function numberOf(bound: string): number {
  return bound === "+Inf" ? Infinity : Number(bound);
}

function escaped(text: string, characters: RegExp): string {
  return text.replace(characters, (character) => character === "\n" ? "\\n" : `\\${character}`);
}
