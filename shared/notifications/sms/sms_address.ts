/** Where a text message goes. */
export interface SmsAddress {
  /** E.164 */
  phone: string;
}
