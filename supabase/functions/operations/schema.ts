import * as z from "zod";

const Name = z.string().regex(/^[a-z][a-z0-9-]*$/).max(63);
const Instance = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.:-]*$/).max(100);
const Type = z.string().regex(/^[a-z][a-z0-9_-]*$/).max(63);
const Version = z.string().min(1).max(100);
const Labels = z.array(z.string().regex(/^[a-z0-9][a-z0-9_.:-]*$/).max(63)).max(50);
const Address = z.string().regex(/^https?:\/\//).max(2048);
const Status = z.enum(["passing", "warning", "critical"]);
const Time = z.string().describe("ISO 8601");

/** Whose instance. */
export const ServicePath = z.object({ name: Name });

/** The body of `POST /operations/services`. */
export const Registration = z.strictObject({
  service_name: Name,
  service_type: Type.describe("http, worker ...: for discovery"),
  version: Version,
  endpoint: Address.optional().describe("where it is reached"),
  health_check_url: Address.optional().describe("called every 15 s; its host must stand in OUTBOUND_ALLOWED_HOSTS"),
  capabilities: Labels.optional(),
  ttl_seconds: z.int().min(5).max(86_400).default(30).describe("after this long without a heartbeat it is critical"),
  instance_id: Instance.optional().describe("default: default"),
  dependencies: Labels.optional().describe("services without which this one is at most warning"),
});

/** The body of `PUT /operations/services/{name}/heartbeat`. */
export const Heartbeat = z.strictObject({
  status: Status.default("passing"),
  metrics: z.record(z.string(), z.json()).optional().describe("what it measures: the last is kept, 8 KiB at most"),
  instance_id: Instance.optional(),
});

/** Which of a service's instances. */
export const InstanceQuery = z.strictObject({ instance_id: Instance.optional() });

/** How an instance is seen, and until when it must beat again. */
export const Lease = z.object({
  service_name: z.string(),
  instance_id: z.string(),
  status: Status,
  ttl_seconds: z.int(),
  expires_at: Time,
});

/** The same, and whether it was unknown before. */
export const Registered = Lease.extend({ is_new: z.boolean() });

/** Which instances are looked for. */
export const Discovery = z.strictObject({
  service_name: Name.optional(),
  service_type: Type.optional(),
  version: Version.optional(),
  capabilities: z.string().regex(/^[a-z0-9][a-z0-9_.:,-]*$/).optional().describe("separated by commas: all of them"),
  include_unhealthy: z.enum(["true", "false"]).default("false"),
  max_count: z.coerce.number().int().min(1).max(1_000).default(100),
});

/** Instances, the best first. */
export const Instances = z.array(z.object({
  service_name: z.string(),
  instance_id: z.string(),
  service_type: z.string(),
  version: z.string(),
  endpoint: z.string().nullable(),
  capabilities: z.array(z.string()),
  dependencies: z.array(z.string()),
  broken_dependencies: z.array(z.string()).describe("have no usable instance"),
  status: Status,
  last_heartbeat_at: Time,
  expires_at: Time,
}));

const Count = z.int();

/** Which job. */
export const JobPath = z.object({ id: z.uuid() });

const LeaseToken = z.int().positive().describe("as it was posted with the job");

/** The body of `POST /operations/jobs/{id}/complete`. */
export const Completion = z.strictObject({ lease_token: LeaseToken, result: z.json().optional() });

/** The body of `POST /operations/jobs/{id}/fail`. */
export const JobFailure = z.strictObject({
  lease_token: LeaseToken,
  error: z.string().min(1).max(1_000),
  retry_after_seconds: z.int().min(0).max(2_592_000).optional(),
  is_final: z.boolean().default(false).describe("it is not tried again"),
});

/** What the job is now. */
export const JobState = z.object({
  state: z.enum(["scheduled", "ready", "running", "succeeded", "failed", "cancelled"]),
});

/** Services, the worst first. */
export const Overview = z.array(z.object({
  service_name: z.string(),
  status: Status.describe("critical: no instance is usable; passing: all are well"),
  instance_count: Count,
  passing_count: Count,
  warning_count: Count,
  critical_count: Count,
  maintenance_count: Count,
  versions: z.array(z.string()),
  broken_dependencies: z.array(z.string()),
  last_heartbeat_at: Time,
  status_changed_at: Time,
}));

/** What `GET /operations/health` answers. */
export const Liveness = z.object({ status: z.literal("ok") });

/** What `GET /operations/ready` answers; operators are told why. */
export const Readiness = z.object({
  status: z.enum(["ready", "not_ready"]),
  checked_at: Time.optional(),
  database: z.object({ status: Status, duration_ms: z.int(), code: z.string().optional() }).optional(),
  schedule_started_at: Time.nullable().optional(),
  failing_schedule: z.array(z.string()).optional().describe("jobs of the schedule whose last run failed"),
  late_schedule: z.array(z.string()).optional().describe("jobs of the schedule that are more than a minute late"),
  worker_seen_at: Time.nullable().optional().describe("when a worker was last at work"),
  unhealthy_partitions: z.array(z.string()).optional().describe("tables without room for next month"),
  schema_version: z.string().nullable().optional().describe("the last migration that was applied"),
  critical_services: z.array(z.string()).optional().describe("without a usable instance"),
});
