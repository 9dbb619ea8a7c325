import { assertEquals } from "@std/assert";
import { parse } from "@std/yaml";
import { createTestDatabase } from "../support/database.ts";

interface Rule {
  alert: string;
  expr: string;
  for: string;
  labels: { severity: string };
  annotations: { summary: string; runbook: string };
}

const ROOT = new URL("../../", import.meta.url);
const { groups } = parse(await Deno.readTextFile(new URL("docs/prometheus_alerts.yml", ROOT))) as {
  groups: { name: string; rules: Rule[] }[];
};
const rules = groups.flatMap(({ rules }) => rules);
/** What the functions themselves report (shared/metrics). */
const REPORTED = ["http_request_duration_seconds_count"];

Deno.test("every alert asks for metrics that there are", async () => {
  const { sql } = await createTestDatabase();
  const families = await sql`select name from private.metric_families()`;
  await sql.end();
  const known = new Set([...REPORTED, ...families.map(({ name }) => `easymo_${name}`)]);

  assertEquals(
    rules.flatMap(({ alert, expr }) =>
      metricsIn(expr).filter((name) => !known.has(name)).map((name) => `${alert}: ${name}`)
    ),
    [],
  );
  assertEquals(rules.filter(({ expr }) => metricsIn(expr).length === 0), []);
});

Deno.test("every alert has a name of its own, says what is wrong, and how urgent it is", () => {
  const names = rules.map(({ alert }) => alert);

  assertEquals(names, [...new Set(names)]);
  for (const { alert, labels, annotations, for: lasts } of rules) {
    assertEquals(["page", "ticket"].includes(labels.severity), true, alert);
    assertEquals(/^\d+[mh]$/.test(lasts), true, alert);
    assertEquals(/^\S.*[^.]$/.test(annotations.summary), true, alert);
  }
});

Deno.test("every alert leads to a section of the runbook", async () => {
  const headings = [...(await Deno.readTextFile(new URL("docs/runbook.md", ROOT))).matchAll(/^#+ (.+)$/gm)];
  const anchors = new Set(headings.map(([, heading]) => `docs/runbook.md#${anchorOf(heading!)}`));

  assertEquals(rules.filter(({ annotations }) => !anchors.has(annotations.runbook)).map(({ alert }) => alert), []);
});

/** As GitHub makes them. */
function anchorOf(heading: string): string {
  return heading.toLowerCase().replace(/[^\w\s-]/g, "").trim().replaceAll(" ", "-");
}

function metricsIn(expression: string): string[] {
  return [...expression.matchAll(/\b(?:easymo|http)_\w+/g)].map(([name]) => name);
}
