import { ACTION_LIMITS } from "./limits/actions.ts";
import type { Limit } from "./limits/limit.ts";
import { MESSAGE_LIMITS } from "./limits/messages.ts";
import { REPLY_LIMITS } from "./limits/replies.ts";
import { TEMPLATE_LIMITS } from "./limits/templates.ts";

/** Every limit, in the order of the documentation. */
export const LIMITS: Limit[] = [...MESSAGE_LIMITS, ...REPLY_LIMITS, ...ACTION_LIMITS, ...TEMPLATE_LIMITS];
