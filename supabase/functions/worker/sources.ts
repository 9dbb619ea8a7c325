import type { ServiceRpc } from "shared/db/service_rpc.ts";
import type { Source } from "shared/worker/drain.ts";
import { conversation } from "./conversation.ts";
import { jobs } from "./jobs.ts";
import { email, push, sms } from "./notification_channels.ts";
import { notificationSource } from "./notification_source.ts";
import { payments } from "./payments.ts";
import { pushReceipts } from "./push_receipts.ts";
import { repeatedSource } from "./repeated_source.ts";
import { serviceChecks } from "./service_checks.ts";
import { serviceJobs } from "./service_jobs.ts";
import { type SendingOptions, whatsappMessages } from "./whatsapp_messages.ts";
import { whatsappReads } from "./whatsapp_reads.ts";
import { webhooks } from "./webhooks.ts";

/** Everything that the worker works on: a line for each source, in the order of their first turns. */
export function sources(call: ServiceRpc, options?: SendingOptions): Source[] {
  return [
    repeatedSource(call, "run_subscriptions"),
    repeatedSource(call, "run_messages"),
    jobs(call),
    conversation(call),
    payments(call),
    repeatedSource(call, "run_notifications"),
    whatsappMessages(call, options),
    whatsappReads(call),
    notificationSource(call, sms()),
    notificationSource(call, push(call)),
    notificationSource(call, email()),
    pushReceipts(call),
    webhooks(call),
    serviceChecks(call),
    serviceJobs(call),
  ];
}
