import { assertEquals } from "@std/assert";
import { prometheusText } from "shared/metrics/prometheus.ts";

Deno.test("prometheusText() writes a line per sample under what the metric tells", () => {
  const text = prometheusText([{
    name: "queue_messages",
    type: "gauge",
    help: "Messages by state.",
    samples: [{ labels: { queue: "receipts", state: "ready" }, value: 3 }, { labels: {}, value: 0.5 }],
  }]);

  assertEquals(
    text,
    '# HELP queue_messages Messages by state.\n# TYPE queue_messages gauge\nqueue_messages{queue="receipts",state="ready"} 3\nqueue_messages 0.5\n',
  );
});

Deno.test("prometheusText() escapes what would end a label or a line", () => {
  const text = prometheusText([{
    name: "a",
    type: "gauge",
    help: "one\\two\nthree",
    samples: [{ labels: { name: 'x"y\\z\n' }, value: 1 }],
  }]);

  assertEquals(text, '# HELP a one\\\\two\\nthree\n# TYPE a gauge\na{name="x\\"y\\\\z\\n"} 1\n');
});

Deno.test("prometheusText() adds up a histogram's buckets in the order of their bounds, up to all", () => {
  const [, , ...lines] = prometheusText([{
    name: "d",
    type: "histogram",
    help: "",
    samples: [{ labels: { r: "/" }, value: 12.5, buckets: { "10": 1, "2.5": 2, "0.25": 4 } }],
  }]).trimEnd().split("\n");

  assertEquals(lines, [
    'd_bucket{r="/",le="0.25"} 4',
    'd_bucket{r="/",le="2.5"} 6',
    'd_bucket{r="/",le="10"} 7',
    'd_bucket{r="/",le="+Inf"} 7',
    'd_sum{r="/"} 12.5',
    'd_count{r="/"} 7',
  ]);
});

Deno.test("prometheusText() writes the bucket without a bound once", () => {
  const text = prometheusText([{
    name: "d",
    type: "histogram",
    help: "",
    samples: [{ labels: {}, value: 30, buckets: { "+Inf": 1, "10": 2 } }],
  }]);

  assertEquals(text.split("\n").filter((line) => line.includes("+Inf")), ['d_bucket{le="+Inf"} 3']);
});
