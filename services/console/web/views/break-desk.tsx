// What a person can do about a break: comment, give it to somebody, propose a resolution, approve or send
// back another person's. Where money moves the page shows what is signed, byte for byte, and the command
// that signs and hands it in; it takes a note that was signed elsewhere, and never a key.
import { useState, type ReactNode } from "react";
import type { WholeBreak } from "../../src/desk-shapes.ts";
import { askAdjustment, useDeed, useDesk, type Deed } from "../desk-api.ts";
import { Badge, Copy, Empty, Fault, Loading, Panel } from "../parts.tsx";
import { DeskLogin, DeskWho } from "./desk-login.tsx";

const personOf = (principal: string): string => principal.slice(principal.indexOf("/") + 1);

/** For a shell: the one quote that ends a quoted text is written apart. */
const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

export const Command = ({ text }: { readonly text: string }) => (
  <div className="command">
    <code>{text}</code>
    <Copy text={text} label="the command" />
  </div>
);

type FormProps = {
  readonly title: string;
  readonly button: string;
  readonly tone?: "primary" | "";
  readonly id: string;
  readonly toDeed: () => Deed;
  readonly onDone?: () => void;
  readonly children?: ReactNode;
};

/** One thing to do: its fields, its button, and what the desk said. */
const DeedForm = ({ title, button, tone = "", id, toDeed, onDone, children }: FormProps) => {
  const { mutate, isPending, error } = useDeed(id);
  return (
    <form
      className="deed"
      aria-label={title}
      onSubmit={(event) => {
        event.preventDefault();
        mutate(toDeed(), { onSuccess: () => onDone?.() });
      }}
    >
      <h3>{title}</h3>
      {children}
      {error === null ? null : <Fault error={error} />}
      <button type="submit" className={tone} disabled={isPending}>
        {isPending ? "Telling the desk" : button}
      </button>
    </form>
  );
};

type FieldProps = {
  readonly id: string;
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly placeholder?: string;
  readonly pattern?: string;
  readonly optional?: boolean;
};

const Field = ({ id, label, value, onChange, placeholder, pattern, optional }: FieldProps) => (
  <label htmlFor={id}>
    {label}
    <input
      id={id}
      value={value}
      onChange={({ target }) => onChange(target.value)}
      placeholder={placeholder}
      pattern={pattern}
      required={optional !== true}
      autoComplete="off"
      spellCheck={false}
    />
  </label>
);

const Words = ({ id, label, value, onChange, optional }: FieldProps) => (
  <label htmlFor={id}>
    {label}
    <textarea
      id={id}
      rows={2}
      maxLength={2_000}
      value={value}
      onChange={({ target }) => onChange(target.value)}
      required={optional !== true}
    />
  </label>
);

const NoteField = ({ id, label, value, onChange }: FieldProps) => (
  <label htmlFor={id}>
    {label}
    <textarea
      id={id}
      className="mono"
      rows={6}
      maxLength={8_192}
      value={value}
      onChange={({ target }) => onChange(target.value)}
      spellCheck={false}
      required
    />
  </label>
);

/** A signed note ends with a line break, whatever a clipboard made of it. */
const noteOf = (pasted: string): string => `${pasted.replaceAll("\r\n", "\n").trimEnd()}\n`;

const Comment = ({ one }: { readonly one: WholeBreak }) => {
  const [text, setText] = useState("");
  return (
    <DeedForm
      title="Comment"
      button="Comment"
      id={one.id}
      toDeed={() => ({ deed: "comments", body: { text } })}
      onDone={() => setText("")}
    >
      <Words id="comment" label="What you know" value={text} onChange={setText} />
    </DeedForm>
  );
};

const Assign = ({ one, me }: { readonly one: WholeBreak; readonly me: string }) => {
  const [owner, setOwner] = useState(one.owner === me ? "" : me);
  return (
    <DeedForm
      title="Owner"
      button="Give it"
      id={one.id}
      toDeed={() => ({ deed: "owner", body: { owner: owner.trim() } })}
    >
      <Field
        id="new-owner"
        label="Who takes it"
        value={owner}
        onChange={setOwner}
        placeholder="operator/alice"
        pattern="[a-z]{1,20}/[a-z0-9.\-]{1,200}"
      />
    </DeedForm>
  );
};

const outcomes = [
  ["explained", "Explained: nothing is wrong"],
  ["corrected", "Corrected: the other side puts it right"],
  ["accepted", "Accepted: it stays as it is"],
  ["returned", "Returned: the money was given back"],
  ["adjusted", "Adjusted: money is posted"],
] as const;

type Adjusting = { readonly side: "credit" | "debit"; readonly amount: string };

const ToSign = ({
  one,
  adjusting,
  text,
}: {
  readonly one: WholeBreak;
  readonly adjusting: Adjusting;
  readonly text: string;
}) => {
  const [shown, setShown] = useState<{ readonly of: string; readonly text: string }>();
  const [fault, setFault] = useState<Error>();
  const { side, amount } = adjusting;
  const of = `${side} ${amount} ${text}`;
  const show = async (): Promise<void> => {
    setFault(undefined);
    try {
      setShown({ of, text: (await askAdjustment(one.id, side, amount, text)).text });
    } catch (error) {
      setFault(error instanceof Error ? error : new Error("It cannot be shown"));
    }
  };
  if (amount === "" || text === "") {
    return <p className="muted">Give the amount and the reason: then it can be signed.</p>;
  }
  const resolve = `npx sealane break resolve ${one.id} --as adjusted --${side} ${amount}`;
  return (
    <>
      <p className="muted">
        Money moves: sign with your own operator key, on your own machine. This signs and hands it
        in:
      </p>
      <Command text={`${resolve} --text ${quoted(text)} --operator-key FILE --token-file FILE`} />
      {fault === undefined ? null : <Fault error={fault} />}
      {shown?.of === of ? (
        <>
          <div className="note-head inner">
            <span>What is signed, byte for byte</span>
            <Copy text={shown.text} label="the text to sign" />
          </div>
          <pre className="note inner" tabIndex={0} aria-label="The text to sign">
            {shown.text}
          </pre>
        </>
      ) : (
        <button type="button" onClick={() => void show()}>
          Show the text to sign
        </button>
      )}
    </>
  );
};

const Propose = ({ one }: { readonly one: WholeBreak }) => {
  const [outcome, setOutcome] = useState<string>("explained");
  const [text, setText] = useState("");
  const [transfer, setTransfer] = useState("");
  const [note, setNote] = useState("");
  const [adjusting, setAdjusting] = useState<Adjusting>({ side: "credit", amount: "" });
  const cited =
    outcome === "returned"
      ? { transfer: transfer.trim() }
      : outcome === "adjusted"
        ? { note: noteOf(note) }
        : {};
  return (
    <DeedForm
      title="Propose a resolution"
      button="Propose"
      tone="primary"
      id={one.id}
      toDeed={() => ({ deed: "proposal", body: { outcome, text, ...cited } })}
    >
      <label htmlFor="outcome">
        Outcome
        <select id="outcome" value={outcome} onChange={({ target }) => setOutcome(target.value)}>
          {outcomes.map(([value, name]) => (
            <option key={value} value={value}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <Words id="why" label="Why" value={text} onChange={setText} />
      {outcome === "returned" ? (
        <Field
          id="return"
          label="The return's id"
          value={transfer}
          onChange={setTransfer}
          pattern="[0-9a-f\-]{36}"
        />
      ) : null}
      {outcome === "adjusted" ? (
        <>
          <label htmlFor="side">
            {`Cover of ${one.participant}`}
            <select
              id="side"
              value={adjusting.side}
              onChange={({ target }) =>
                setAdjusting({ ...adjusting, side: target.value === "debit" ? "debit" : "credit" })
              }
            >
              <option value="credit">Credit: it is given</option>
              <option value="debit">Debit: it is taken</option>
            </select>
          </label>
          <Field
            id="amount"
            label={`Amount in ${one.currency}`}
            value={adjusting.amount}
            onChange={(amount) => setAdjusting({ ...adjusting, amount: amount.trim() })}
            placeholder={one.expected ?? "7.00"}
            pattern="(0|[1-9]\d*)(\.\d+)?"
          />
          <ToSign one={one} adjusting={adjusting} text={text} />
          <NoteField id="note" label="Or paste the signed note" value={note} onChange={setNote} />
        </>
      ) : null}
    </DeedForm>
  );
};

const Approve = ({ one }: { readonly one: WholeBreak }) => {
  const [text, setText] = useState("");
  const [note, setNote] = useState("");
  const moves = one.proposal?.outcome === "adjusted";
  const proposal = one.proposal?.id ?? "";
  const said = text.trim() === "" ? { proposal } : { proposal, text };
  return (
    <DeedForm
      title="Approve"
      button="Approve"
      tone="primary"
      id={one.id}
      toDeed={() => ({
        deed: "approval",
        body: { ...said, ...(moves ? { note: noteOf(note) } : {}) },
      })}
    >
      {moves ? (
        <>
          <p className="muted">
            Money moves: add your signature to the proposed note, with your own operator key. This
            signs and hands it in:
          </p>
          <Command
            text={`npx sealane break approve ${one.id} --operator-key FILE --token-file FILE`}
          />
          <NoteField
            id="signed"
            label="Or paste the note with both signatures"
            value={note}
            onChange={setNote}
          />
        </>
      ) : null}
      <Words id="approval" label="Comment (optional)" value={text} onChange={setText} optional />
    </DeedForm>
  );
};

const SendBack = ({ one, own }: { readonly one: WholeBreak; readonly own: boolean }) => {
  const [text, setText] = useState("");
  const title = own ? "Take it back" : "Send it back";
  return (
    <DeedForm
      title={title}
      button={title}
      id={one.id}
      toDeed={() => ({ deed: "rejection", body: { text } })}
    >
      <Words id="rejection" label="Why" value={text} onChange={setText} />
    </DeedForm>
  );
};

const Deeds = ({
  one,
  me,
  role,
}: {
  readonly one: WholeBreak;
  readonly me: string;
  readonly role: string | undefined;
}) => {
  if (role === "auditor") return <Empty>An auditor only reads.</Empty>;
  const { state, proposal } = one;
  const live = state === "open" || state === "proposed" || state === "posting";
  const own = proposal !== undefined && personOf(proposal.by) === personOf(me);
  const waits = state === "proposed" && proposal !== undefined;
  return (
    <>
      {state === "open" ? <Propose one={one} /> : null}
      {waits && own ? (
        <p className="deed">
          <Badge tone="info">Waits for a second person</Badge>
          <span className="muted">You proposed it: somebody else approves.</span>
        </p>
      ) : null}
      {waits && !own && role !== "approver" ? (
        <p className="deed">
          <Badge tone="info">Waits for an approver</Badge>
          <span className="muted">An operator's role does not approve.</span>
        </p>
      ) : null}
      {waits && !own && role === "approver" ? <Approve one={one} /> : null}
      {(waits || state === "posting") && (own || role === "approver") ? (
        <SendBack one={one} own={own} />
      ) : null}
      <Comment one={one} />
      {live ? <Assign key={one.owner} one={one} me={me} /> : null}
    </>
  );
};

export const BreakDesk = ({ one }: { readonly one: WholeBreak }) => {
  const { data, error } = useDesk();
  const me = data?.principal;
  return (
    <Panel title="The desk" aside={me === undefined ? undefined : <DeskWho session={data ?? {}} />}>
      {error === null ? null : <Fault error={error} />}
      {data === undefined && error === null ? <Loading lines={3} /> : null}
      {data !== undefined && me === undefined ? <DeskLogin /> : null}
      {me === undefined ? null : <Deeds one={one} me={me} role={data?.role} />}
    </Panel>
  );
};
