/** Bytes of a request, as sent and inflated (Segment: "Batch", 500 KB). */
export const MAX_REQUEST_BYTES = 500 * 1024;
/** Calls of a request (Segment: 2,500). */
export const MAX_ITEMS = 2_500;
/** Bytes of one call as JSON (Segment, RudderStack: 32 KB). */
export const MAX_ITEM_BYTES = 32 * 1024;
/** Levels of arrays and objects in one call. */
export const MAX_ITEM_DEPTH = 64;
/** Characters of an event's name (PostHog: 200). */
export const MAX_NAME_LENGTH = 200;
/** Characters of any id. */
export const MAX_ID_LENGTH = 255;
