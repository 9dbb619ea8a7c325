const NUMBER = "(?:0|[1-9]\\d*)";
const IDENTIFIER = `(?:${NUMBER}|\\d*[A-Za-z-][0-9A-Za-z-]*)`;
const SEMVER = new RegExp(
  `^(${NUMBER})\\.(${NUMBER})\\.(${NUMBER})(?:-(${IDENTIFIER}(?:\\.${IDENTIFIER})*))?(?:\\+[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*)?$`,
);

/**
 * A text that sorts, by its bytes, as the version does; nothing when it is no version or longer than 256 characters.
 *
 * @see Semantic Versioning 2.0.0, 11 (precedence)
 */
export function semverOrder(version: string): string | undefined {
  if (version !== latest.version) latest = { version, order: readOrder(version) };
  return latest.order;
}

/** Many flags ask about the one version of somebody's app. */
let latest: { version: string; order: string | undefined } = { version: "", order: undefined };

function readOrder(version: string): string | undefined {
  const match = version.length <= 256 ? SEMVER.exec(version) : null;
  if (!match) return undefined;
  const core = match.slice(1, 4).map((number) => numberOrder(number!)).join("");
  return core + (match[4] === undefined ? "~" : match[4].split(".").map(identifierOrder).join(""));
}

function identifierOrder(identifier: string): string {
  return /^\d+$/.test(identifier) ? ` 0${numberOrder(identifier)}` : ` 1${identifier}`;
}

/** Without leading zeros, of two numbers the one with more digits is the greater. */
function numberOrder(number: string): string {
  return String(number.length).padStart(3, "0") + number;
}
