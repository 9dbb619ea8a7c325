// What real libraries have sent, as it was recorded.

/** @segment/analytics-node 3.1.0, to `/v1/batch`. */
export const SEGMENT = {
  "batch": [{
    "timestamp": "2026-11-23T04:40:30.263Z",
    "integrations": {},
    "type": "identify",
    "userId": "u1",
    "traits": { "plan": "x" },
    "context": { "library": { "name": "@segment/analytics-node", "version": "3.1.0" } },
    "anonymousId": "a1",
    "messageId": "node-next-1795408830263-ca30f093-8acd-49f6-97a3-addd8beb58b0",
    "_metadata": { "nodeVersion": "v26.3.0", "jsRuntime": "node" },
  }, {
    "timestamp": "2026-11-23T04:40:30.264Z",
    "integrations": {},
    "event": "Ride",
    "type": "track",
    "properties": { "fare": 1 },
    "context": { "library": { "name": "@segment/analytics-node", "version": "3.1.0" } },
    "userId": "u1",
    "messageId": "node-next-1795408830264-f0938acd-b9f6-47a3-addd-8beb58b04d50",
    "_metadata": { "nodeVersion": "v26.3.0", "jsRuntime": "node" },
  }, {
    "timestamp": "2026-11-23T04:40:30.264Z",
    "integrations": {},
    "type": "page",
    "properties": { "category": "c" },
    "category": "c",
    "name": "Home",
    "context": { "library": { "name": "@segment/analytics-node", "version": "3.1.0" } },
    "anonymousId": "a1",
    "messageId": "node-next-1795408830264-8acdb9f6-d7a3-4ddd-8beb-58b04d50ed8c",
    "_metadata": { "nodeVersion": "v26.3.0", "jsRuntime": "node" },
  }, {
    "timestamp": "2026-11-23T04:40:30.264Z",
    "integrations": {},
    "type": "group",
    "traits": { "n": 1 },
    "groupId": "g1",
    "context": { "library": { "name": "@segment/analytics-node", "version": "3.1.0" } },
    "userId": "u1",
    "messageId": "node-next-1795408830264-b9f6d7a3-addd-4beb-98b0-4d50ed8c4ca3",
    "_metadata": { "nodeVersion": "v26.3.0", "jsRuntime": "node" },
  }, {
    "timestamp": "2026-11-23T04:40:30.264Z",
    "integrations": {},
    "userId": "u1",
    "type": "alias",
    "previousId": "p1",
    "context": { "library": { "name": "@segment/analytics-node", "version": "3.1.0" } },
    "messageId": "node-next-1795408830264-d7a3addd-8beb-48b0-8d50-ed8c4ca397b4",
    "_metadata": { "nodeVersion": "v26.3.0", "jsRuntime": "node" },
  }],
  "writeKey": "wk_1",
  "sentAt": "2026-11-23T04:40:30.271Z",
};

/** @rudderstack/rudder-sdk-node 3.0.13, to `/v1/batch`. */
export const RUDDERSTACK = {
  "batch": [{
    "userId": "u1",
    "traits": { "a": 1 },
    "context": { "traits": { "a": 1 }, "library": { "name": "analytics-node", "version": "3.0.13" } },
    "type": "identify",
    "channel": "server",
    "_metadata": { "nodeVersion": "26.3.0" },
    "originalTimestamp": "2026-11-23T04:40:30.585Z",
    "messageId": "540792c6-aff5-4563-b5dd-25bcf8209b2d",
    "sentAt": "2026-11-23T04:40:30.585Z",
  }, {
    "userId": "u1",
    "name": "Home",
    "type": "page",
    "context": { "library": { "name": "analytics-node", "version": "3.0.13" } },
    "channel": "server",
    "_metadata": { "nodeVersion": "26.3.0" },
    "originalTimestamp": "2026-11-23T04:40:30.585Z",
    "messageId": "7066464d-79f5-4a6b-a8ca-d9f3884fe755",
    "sentAt": "2026-11-23T04:40:30.585Z",
  }],
  "timestamp": "2026-11-23T04:40:30.585Z",
  "sentAt": "2026-11-23T04:40:30.585Z",
};

/** posthog-node 5.70.0, v0, to `/batch/`. */
export const POSTHOG_V0 = {
  "api_key": "phc_1",
  "batch": [{
    "event": "Ride",
    "properties": {
      "fare": 1,
      "$lib": "posthog-node",
      "$lib_version": "5.70.0",
      "$is_server": true,
      "$geoip_disable": true,
    },
    "timestamp": "2026-11-23T04:40:30.594Z",
    "uuid": "01a206b4-a082-70a7-9bcd-9b4c8f1b1cca",
    "distinct_id": "u1",
  }, {
    "event": "anon",
    "properties": {
      "fare": 1,
      "$process_person_profile": false,
      "$lib": "posthog-node",
      "$lib_version": "5.70.0",
      "$is_server": true,
      "$geoip_disable": true,
    },
    "timestamp": "2026-11-23T04:40:30.595Z",
    "uuid": "01a206b4-a083-79d8-b57a-de4234c57b26",
    "distinct_id": "01a206b4-a081-79c3-9992-93d96b992e1e",
  }, {
    "event": "$identify",
    "properties": {
      "$set": { "plan": "x" },
      "$set_once": { "a": 1 },
      "$lib": "posthog-node",
      "$lib_version": "5.70.0",
      "$is_server": true,
      "$geoip_disable": true,
    },
    "timestamp": "2026-11-23T04:40:30.595Z",
    "uuid": "01a206b4-a083-79d8-b57a-de436591982f",
    "distinct_id": "u1",
  }, {
    "event": "$create_alias",
    "properties": {
      "distinct_id": "u1",
      "alias": "old",
      "$lib": "posthog-node",
      "$lib_version": "5.70.0",
      "$is_server": true,
      "$geoip_disable": true,
    },
    "timestamp": "2026-11-23T04:40:30.595Z",
    "uuid": "01a206b4-a083-79d8-b57a-de4413ed3d61",
    "distinct_id": "u1",
  }, {
    "event": "$groupidentify",
    "properties": {
      "$group_type": "company",
      "$group_key": "g1",
      "$group_set": { "a": 1 },
      "$lib": "posthog-node",
      "$lib_version": "5.70.0",
      "$is_server": true,
      "$geoip_disable": true,
    },
    "timestamp": "2026-11-23T04:40:30.595Z",
    "uuid": "01a206b4-a083-79d8-b57a-de458954dab3",
    "distinct_id": "$company_g1",
  }],
  "sent_at": "2026-11-23T04:40:30.596Z",
};

/** posthog-node 5.70.0, v1, to `/i/v1/analytics/events`. */
export const POSTHOG_V1 = {
  "created_at": "2026-11-23T04:40:30.602Z",
  "batch": [{
    "event": "Ride",
    "uuid": "01a206b4-a089-7161-8d40-ab1b0b023b6a",
    "distinct_id": "u1",
    "timestamp": "2026-11-23T04:40:30.601Z",
    "options": {},
    "properties": { "fare": 1, "$is_server": true, "$geoip_disable": true },
  }, {
    "event": "anon",
    "uuid": "01a206b4-a089-7161-8d40-ab1cea15740b",
    "distinct_id": "01a206b4-a088-7c40-ae43-10679db712db",
    "timestamp": "2026-11-23T04:40:30.601Z",
    "options": { "process_person_profile": false },
    "properties": { "fare": 1, "$is_server": true, "$geoip_disable": true },
  }, {
    "event": "$identify",
    "uuid": "01a206b4-a089-7161-8d40-ab1d36929b99",
    "distinct_id": "u1",
    "timestamp": "2026-11-23T04:40:30.601Z",
    "options": {},
    "properties": { "$set": { "plan": "x" }, "$set_once": { "a": 1 }, "$is_server": true, "$geoip_disable": true },
  }, {
    "event": "$create_alias",
    "uuid": "01a206b4-a08a-7522-99a9-84f5203f4044",
    "distinct_id": "u1",
    "timestamp": "2026-11-23T04:40:30.602Z",
    "options": {},
    "properties": { "distinct_id": "u1", "alias": "old", "$is_server": true, "$geoip_disable": true },
  }, {
    "event": "$groupidentify",
    "uuid": "01a206b4-a08a-7522-99a9-84f6fe8a564a",
    "distinct_id": "$company_g1",
    "timestamp": "2026-11-23T04:40:30.602Z",
    "options": {},
    "properties": {
      "$group_type": "company",
      "$group_key": "g1",
      "$group_set": { "a": 1 },
      "$is_server": true,
      "$geoip_disable": true,
    },
  }],
};

/** @jitsu/js 1.11.0, to `/api/s/track`. */
export const JITSU = {
  "type": "track",
  "event": "Ride",
  "properties": { "fare": 1 },
  "userId": null,
  "anonymousId": "65251535-6046-46ed-8c1d-82658dd7c5d7",
  "timestamp": "2026-11-23T04:40:30.614Z",
  "sentAt": "2026-11-23T04:40:30.614Z",
  "messageId": "r231xqo1qor79jypd1dw",
  "writeKey": "key:***",
  "context": {
    "library": { "name": "@jitsu/js", "version": "1.11.0", "env": "node" },
    "traits": {},
    "page": {},
    "clientIds": {},
    "campaign": {},
  },
};
