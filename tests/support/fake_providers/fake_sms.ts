import { type ArrivedRequest, FakeProvider } from "./fake_provider.ts";

/** Starts an Africa's Talking that takes every message. */
export function startFakeAfricasTalking(): FakeProvider {
  return new FakeProvider((request) => recipientAnswer(101, "Success", fieldsOf(request).to)).open();
}

/** Starts a Twilio that takes every message. */
export function startFakeTwilio(): FakeProvider {
  let count = 0;
  return new FakeProvider((request) => {
    const { To, Body } = fieldsOf(request);
    return Response.json({ sid: `SM${++count}`, status: "queued", error_code: null, to: To, body: Body }, {
      status: 201,
    });
  }).open();
}

/** What Africa's Talking answers about one recipient. */
export function recipientAnswer(statusCode: number, status: string, number = "+250788000001"): Response {
  const isTaken = statusCode < 200;
  const recipient = {
    statusCode,
    number,
    status,
    cost: isTaken ? "RWF 10.0000" : "0",
    messageId: isTaken ? "ATXid_1" : "None",
  };
  const Message = `Sent to ${isTaken ? 1 : 0}/1 Total Cost: ${recipient.cost}`;
  return Response.json({ SMSMessageData: { Message, Recipients: [recipient] } }, { status: 201 });
}

/** How Twilio refuses. */
export function twilioError(status: number, code: number, message = "No"): Response {
  return Response.json({ code, message, more_info: `https://www.twilio.com/docs/errors/${code}`, status }, { status });
}

/** The fields of a form. */
export function fieldsOf({ text }: ArrivedRequest): Record<string, string> {
  return Object.fromEntries(new URLSearchParams(text));
}
