import fc from "fast-check";

const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/** Without summer time, with it, with half an hour of it, by night over midnight, and one that once left a whole day out. */
export const ZONES = [
  "Africa/Kigali",
  "Europe/Paris",
  "America/New_York",
  "Pacific/Apia",
  "Australia/Lord_Howe",
  "Africa/Cairo",
  "America/St_Johns",
];

/** Minutes around which the clocks of those zones change, beside any minute of these years. */
export const MOMENTS: fc.Arbitrary<Date> = fc.oneof(
  fc.integer({ min: Date.UTC(2009, 0) / 1_000, max: Date.UTC(2037, 0) / 1_000 }),
  fc.tuple(
    fc.constantFrom(
      "2011-12-30T10:00Z",
      "2026-03-29T01:00Z",
      "2026-10-25T01:00Z",
      "2027-03-14T07:00Z",
      "2026-11-01T06:00Z",
      "2020-04-04T14:00Z",
      "2020-09-26T14:00Z",
      "2026-04-04T15:00Z",
      "2026-10-29T21:00Z",
      "2010-11-07T02:31Z",
    ),
    fc.integer({ min: -26 * 3_600, max: 3 * 3_600 }),
  ).map(([change, seconds]) => Date.parse(change) / 1_000 + seconds),
).map((seconds) => new Date(seconds * 1_000));

/** Cron expressions of five fields, as people write them and as they could. */
export const EXPRESSIONS: fc.Arbitrary<string> = fc.tuple(
  field(0, 59),
  fc.oneof(field(0, 23), fc.integer({ min: 0, max: 3 }).map(String)),
  fc.oneof(fc.constant("*"), field(1, 31)),
  fc.oneof(fc.constant("*"), field(1, 12, MONTHS)),
  fc.oneof(fc.constant("*"), field(0, 7, WEEKDAYS)),
).map((fields) => fields.join(" "));

function field(lowest: number, highest: number, names: string[] = []): fc.Arbitrary<string> {
  const value = fc.integer({ min: lowest, max: highest });
  const written = (number: number, isNamed: boolean) => isNamed && names[number - lowest] || String(number);
  const one = fc.tuple(value, fc.boolean()).map(([number, isNamed]) => written(number, isNamed));
  const range = fc.tuple(value, value, fc.boolean()).map(([a, b, isNamed]) =>
    `${written(Math.min(a, b), isNamed)}-${written(Math.max(a, b), isNamed)}`
  );
  const step = fc.integer({ min: 1, max: Math.min(highest, 31) });
  const stepped = fc.tuple(fc.oneof(fc.constant("*"), range), step).map(([of, by]) => `${of}/${by}`);
  const item = fc.oneof({ weight: 3, arbitrary: one }, range, stepped);
  return fc.oneof(
    fc.constant("*"),
    item,
    fc.array(item, { minLength: 1, maxLength: 4 }).map((items) => items.join(",")),
  );
}
