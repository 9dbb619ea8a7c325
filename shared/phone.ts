import { type CountryCode, parsePhoneNumber, type PhoneNumber } from "libphonenumber-js/min";

/** Where a number without a country code is taken to be from. */
const HOME_REGION: CountryCode = "RW";

/**
 * Reads a phone number as people write it ("0788 000 000", "250788000000", "+250 788 000 000") as E.164.
 *
 * A WhatsApp id has its country code but no plus: pass `+` and the id, or a foreign one is read as a Rwandan number.
 *
 * @returns "+250788000000", or null when no country has such a number
 */
export function toE164(input: string, region: CountryCode = HOME_REGION): string | null {
  const number = parse(input, region);
  return number?.isValid() ? number.number : null;
}

/** An E.164 number for display, without most of its digits: "+250 ••• 000". */
export function maskPhone(e164: string): string {
  const country = parse(e164)?.countryCallingCode;
  return country ? `+${country} ••• ${e164.slice(-3)}` : "•••";
}

function parse(input: string, region?: CountryCode): PhoneNumber | undefined {
  try {
    return parsePhoneNumber(input.normalize("NFKC"), { defaultCountry: region, extract: false });
  } catch {
    return undefined;
  }
}
