// The small parts that all views are made of. State is never told by colour alone.
import { useState, type ReactNode } from "react";
import type { Money, Verdict } from "../src/api-types.ts";
import { agoText, clockText, groupDigits, words } from "../src/format.ts";
import { ApiFault } from "./api.ts";
import { useLive } from "./live.tsx";

export type Tone = "good" | "warn" | "bad" | "quiet" | "info";

const marks: Readonly<Record<Tone, string>> = {
  good: "●",
  warn: "▲",
  bad: "■",
  quiet: "○",
  info: "◆",
};

export const Badge = ({
  tone,
  children,
}: {
  readonly tone: Tone;
  readonly children: ReactNode;
}) => (
  <span className={`badge ${tone}`}>
    <span className="mark" aria-hidden="true">
      {marks[tone]}
    </span>
    {children}
  </span>
);

type PanelProps = {
  readonly title: string;
  readonly aside?: ReactNode;
  readonly children: ReactNode;
  readonly className?: string;
};

export const Panel = ({ title, aside, children, className = "" }: PanelProps) => (
  <section className={`panel ${className}`}>
    <header>
      <h2>{title}</h2>
      {aside === undefined ? null : <div className="aside">{aside}</div>}
    </header>
    {children}
  </section>
);

export const PageHead = ({
  title,
  children,
}: {
  readonly title: string;
  readonly children?: ReactNode;
}) => (
  <div className="page-head">
    <h1>{title}</h1>
    {children === undefined ? null : <p>{children}</p>}
  </div>
);

export const Amount = ({ money, strong }: { readonly money: Money; readonly strong?: boolean }) => (
  <span className={strong === true ? "amount strong" : "amount"}>
    <span className="currency">{money.currency}</span> {groupDigits(money.amount)}
  </span>
);

/** A time both ways: when, and how long ago. */
export const Time = ({ at, ago = true }: { readonly at: string; readonly ago?: boolean }) => {
  const { nowMs } = useLive();
  if (at === "") return <span className="muted">–</span>;
  return (
    <time dateTime={at} title={`${at} (UTC)`}>
      <span className="num">{clockText(at, nowMs)}</span>
      {ago ? <span className="muted num"> {agoText(Date.parse(at), nowMs)}</span> : null}
    </time>
  );
};

const outcomes: Readonly<Record<string, Tone>> = {
  rejected: "bad",
  expired: "warn",
  cancelled: "warn",
  recorded: "quiet",
};

/** A committed entry is sealed, or waits for its quorum. */
export const Outcome = ({
  outcome,
  sealed,
}: {
  readonly outcome: string;
  readonly sealed: boolean;
}) => {
  if (outcome !== "committed")
    return <Badge tone={outcomes[outcome] ?? "bad"}>{words(outcome)}</Badge>;
  return sealed ? <Badge tone="good">Sealed</Badge> : <Badge tone="info">Committed</Badge>;
};

export const Checked = ({
  verdict,
  good,
  bad,
}: {
  readonly verdict: Verdict;
  readonly good: string;
  readonly bad: string;
}) => (
  <div className="verdict">
    <Badge tone={verdict.ok ? "good" : "warn"}>{verdict.ok ? good : bad}</Badge>
    <p className="muted">{verdict.detail}</p>
  </div>
);

export const Copy = ({ text, label }: { readonly text: string; readonly label: string }) => {
  const [copied, setCopied] = useState(false);
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(text);
      setCopied(true);
      setTimeout(() => setCopied(false), 1_500);
    } catch {
      setCopied(false); // not allowed here: the text can be selected
    }
  };
  return (
    <button type="button" className="copy" onClick={() => void copy()} aria-label={`Copy ${label}`}>
      {copied ? "Copied" : "Copy"}
    </button>
  );
};

export const Empty = ({ children }: { readonly children: ReactNode }) => (
  <p className="empty">{children}</p>
);

/** Grey bars where text will be. */
export const Loading = ({ lines = 4 }: { readonly lines?: number }) => (
  <div className="loading" role="status">
    <span className="visually-hidden">Loading</span>
    {Array.from({ length: lines }, (_, at) => (
      <div key={at} className="bar" aria-hidden="true" />
    ))}
  </div>
);

/** What could not be asked for: said once, in its place, and asked again. */
export const Fault = ({ error }: { readonly error: Error }) => {
  const known = error instanceof ApiFault ? error : undefined;
  return (
    <div className="fault" role="status">
      <Badge tone={known?.status === 404 ? "quiet" : "bad"}>{error.message}</Badge>
      {known?.detail === undefined || known.detail === "" ? null : <p>{known.detail}</p>}
      {known?.action === undefined || known.action === "" ? null : (
        <p className="muted">{known.action}</p>
      )}
    </div>
  );
};

/** Wide tables scroll inside their panel, and can be reached by keyboard to do so. */
export const TableBox = ({
  label,
  children,
}: {
  readonly label: string;
  readonly children: ReactNode;
}) => (
  // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a box that scrolls takes focus
  <div className="table-box" role="region" aria-label={label} tabIndex={0}>
    {children}
  </div>
);
