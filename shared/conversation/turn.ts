import { buttonId } from "./button_id.ts";
import type { Command } from "./command.ts";
import type { Choice, Reply } from "./reply.ts";
import type { Context, Person, Session, State } from "./session.ts";
import { TEXTS, type Texts } from "./texts/texts.ts";

/** What a step of the dialogue comes to. */
export interface Turn {
  session: Session;
  replies: Reply[];
  /** What is to be done before the dialogue goes on with its outcome. */
  command?: Command;
}

/** How long a button of the conversation means something: as long as the session. */
export const BUTTON_MS = 30 * 60_000;
/** How long a button that goes with a trip does, whatever is said in between. */
const TRIP_BUTTON_MS = 12 * 3_600_000;

/** What the steps of the dialogue have at hand: who talks, in which session, at what time. */
export class Talk {
  constructor(readonly session: Session, readonly person: Person, readonly now: number) {}

  get texts(): Texts {
    return TEXTS[this.session.locale];
  }

  /** Says something and stays, or goes on to ask for something else. */
  turn(replies: Reply[], next: { state: State; context: Context } = this.session, command?: Command): Turn {
    const { state, context } = next;
    return { session: { ...this.session, state, context }, replies, ...(command && { command }) };
  }

  /** Says something and asks for nothing any more. */
  end(...replies: Reply[]): Turn {
    return this.turn(replies, { state: "idle", context: {} });
  }

  /** Wants something to be done first. */
  wait(command: Command): Turn {
    return this.turn([], this.session, command);
  }

  /** The same conversation at another step. */
  at(state: State, context: Context): Talk {
    return new Talk({ ...this.session, state, context }, this.person, this.now);
  }

  /** A button that counts until the conversation goes on: the turn that offers it will be the session's next version. */
  choice(title: string, action: string, argument: string = ""): Choice {
    const tap = { action, argument, version: this.session.version + 1, expiresAt: this.now + BUTTON_MS };
    return { id: buttonId(tap), title };
  }

  /** A button that goes with a trip: whether it still means something is for the trip to say. */
  tripChoice(title: string, action: string, argument: string, expiresAt: number = this.now + TRIP_BUTTON_MS): Choice {
    return { id: buttonId({ action, argument, version: 0, expiresAt }), title };
  }
}
