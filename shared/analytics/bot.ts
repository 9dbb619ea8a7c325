/**
 * Crawlers, previews, monitors and browsers without a person, by what they call themselves. Libraries that send by HTTP are
 * no bots here: servers track too. Cubot makes phones.
 */
const BOT =
  /(?<!cu)bot\b|bot[/_-]|crawl|spider|slurp|headless|phantomjs|lighthouse|pagespeed|pingdom|uptime|statuscake|facebookexternalhit|whatsapp\/|bingpreview|mediapartners|feedfetcher|prerender/i;

/** Tells whether a `User-Agent` is one of a machine that nobody sits in front of. */
export function isBot(userAgent: unknown): boolean {
  return typeof userAgent === "string" && BOT.test(userAgent);
}
