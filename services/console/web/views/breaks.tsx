// Breaks: what differs between the log, Postgres, providers and banks. Filters are in the address. How far
// each side is known is always said: what lies beyond is not accused of anything.
import { Fragment } from "react";
import type { BreakList, BreakStanding, BreakView } from "../../src/desk-shapes.ts";
import { ageText, countText, groupDigits, words } from "../../src/format.ts";
import { useBreaks } from "../desk-api.ts";
import {
  Badge,
  Empty,
  Fault,
  Loading,
  PageHead,
  Panel,
  TableBox,
  Time,
  type Tone,
} from "../parts.tsx";
import { Link, navigate, useQueryText } from "../router.tsx";
import { short } from "./windows.tsx";

const stateTones: Readonly<Record<BreakView["state"], readonly [Tone, string]>> = {
  open: ["warn", "Open"],
  proposed: ["info", "Proposed"],
  posting: ["info", "Being posted"],
  resolved: ["good", "Resolved"],
  cleared: ["quiet", "Cleared"],
};

export const BreakState = ({ state }: { readonly state: BreakView["state"] }) => {
  const [tone, word] = stateTones[state];
  return <Badge tone={tone}>{word}</Badge>;
};

/** `fx-residue` is not "Fx residue". */
export const kindWords = (kind: string): string => words(kind).replace(/^Fx\b/, "FX");

/** A deadline is no measurement. */
export const wholeSeconds = (time: string): string => time.replace(/\.\d+/, "");

const isLive = (state: BreakView["state"]): boolean => state !== "resolved" && state !== "cleared";

export const Deadline = ({ one }: { readonly one: BreakView }) => (
  <>
    <span className="num nowrap">{ageText(one.ageSeconds)}</span>
    {one.overdue ? (
      <span className="under">
        <Badge tone="bad">Overdue</Badge>
      </span>
    ) : isLive(one.state) ? (
      <span className="under nowrap">
        by <Time at={wholeSeconds(one.deadline)} ago={false} />
      </span>
    ) : null}
  </>
);

/** As of which position each side is known. */
export const AsOf = ({ asOf }: { readonly asOf: BreakStanding }) => (
  <div className="as-of muted small">
    <span className="num">
      {`As of position ${countText(asOf.position)} of the log, compared up to ${countText(asOf.compared)}.`}
    </span>{" "}
    {asOf.providers.length === 0
      ? "No provider has handed in its own books yet."
      : asOf.providers.map(({ participant, until }) => (
          // The space stands outside, or the line could not be broken between two of them.
          <Fragment key={participant}>
            <span className="nowrap">
              {short(participant)}: known up to <Time at={until} ago={false} />.
            </span>{" "}
          </Fragment>
        ))}
  </div>
);

type Filter = {
  readonly state: string;
  readonly kind: string;
  readonly participant: string;
  readonly owner: string;
};

const filterOf = (query: string): Filter => {
  const said = new URLSearchParams(query);
  const get = (name: string): string => said.get(name) ?? "";
  return {
    state: get("state"),
    kind: get("kind"),
    participant: get("participant"),
    owner: get("owner"),
  };
};

const addressOf = (filter: Filter): string => {
  const said = new URLSearchParams(Object.entries(filter).filter(([, value]) => value !== ""));
  const text = said.toString();
  return text === "" ? "/breaks" : `/breaks?${text}`;
};

const stateChoices: readonly (readonly [string, string])[] = [
  ["", "Live"],
  ["open", "Open"],
  ["proposed", "Proposed"],
  ["posting", "Being posted"],
  ["ended", "Ended"],
  ["all", "All"],
];

const ownerPattern = /^[a-z]{1,20}\/[a-z0-9.-]{1,200}$/;
const participantPattern = /^[a-z0-9.-]{1,200}$/;

/** Asked for when it can be a name: on Enter, or when the field is left. */
const NameField = ({
  id,
  label,
  value,
  placeholder,
  pattern,
  onChange,
}: {
  readonly id: string;
  readonly label: string;
  readonly value: string;
  readonly placeholder: string;
  readonly pattern: RegExp;
  readonly onChange: (value: string) => void;
}) => {
  const say = (text: string): void => {
    const wanted = text.trim().toLowerCase();
    if (wanted !== value && (wanted === "" || pattern.test(wanted))) onChange(wanted);
  };
  return (
    <label htmlFor={id}>
      {label}
      <input
        key={value}
        id={id}
        className="narrow"
        defaultValue={value}
        placeholder={placeholder}
        autoComplete="off"
        spellCheck={false}
        onBlur={({ target }) => say(target.value)}
        onKeyDown={(event) => {
          if (event.key === "Enter") say(event.currentTarget.value);
        }}
      />
    </label>
  );
};

const Filters = ({ filter }: { readonly filter: Filter }) => {
  const go = (change: Partial<Filter>): void => navigate(addressOf({ ...filter, ...change }));
  return (
    <div className="filters">
      <label htmlFor="state">
        State
        <select
          id="state"
          value={filter.state}
          onChange={({ target }) => go({ state: target.value })}
        >
          {stateChoices.map(([value, name]) => (
            <option key={value} value={value}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <NameField
        id="participant"
        label="Participant"
        value={filter.participant}
        placeholder="hk-wallet.example"
        pattern={participantPattern}
        onChange={(participant) => go({ participant })}
      />
      <NameField
        id="owner"
        label="Owner"
        value={filter.owner}
        placeholder="operator/alice"
        pattern={ownerPattern}
        onChange={(owner) => go({ owner })}
      />
    </div>
  );
};

const Kinds = ({
  counts,
  filter,
}: {
  readonly counts: BreakList["counts"];
  readonly filter: Filter;
}) => (
  <ul className="kinds" aria-label="Live breaks by kind">
    {counts.map(({ kind, count, overdue, oldestAgeSeconds }) => {
      const chosen = filter.kind === kind;
      return (
        <li key={kind}>
          <Link
            to={addressOf({ ...filter, kind: chosen ? "" : kind })}
            className="kind"
            aria-current={chosen ? "true" : undefined}
          >
            <span>{kindWords(kind)}</span>
            <span className="value num">{countText(count)}</span>
            <span className="hint">
              {overdue > 0 ? `${countText(overdue)} overdue, ` : ""}
              {`oldest ${ageText(oldestAgeSeconds)}`}
            </span>
          </Link>
        </li>
      );
    })}
  </ul>
);

export const Figures = ({ one }: { readonly one: BreakView }) => (
  <>
    <span className="num nowrap">
      {one.found === undefined
        ? "nothing"
        : `${one.foundCurrency ?? one.currency} ${groupDigits(one.found)}`}
    </span>
    <span className="under num nowrap">
      {one.expected === undefined
        ? "nothing by the log"
        : `${one.currency} ${groupDigits(one.expected)} by the log`}
    </span>
  </>
);

export const BreakTable = ({
  breaks,
  label,
}: {
  readonly breaks: readonly BreakView[];
  readonly label: string;
}) => (
  <TableBox label={label}>
    <table>
      <thead>
        <tr>
          <th scope="col">Kind</th>
          <th scope="col">Participant</th>
          <th scope="col" className="right">
            Found
          </th>
          <th scope="col">State</th>
          <th scope="col">Owner</th>
          <th scope="col">Age</th>
        </tr>
      </thead>
      <tbody>
        {breaks.map((one) => (
          <tr key={one.id} className="linked">
            <th scope="row">
              <Link to={`/breaks/${one.id}`} className="row-link">
                {kindWords(one.kind)}
              </Link>
              <span className="under">{one.between.replace("log-", "log and ")}</span>
            </th>
            <td className="nowrap">{short(one.participant)}</td>
            <td className="right">
              <Figures one={one} />
            </td>
            <td>
              <BreakState state={one.state} />
            </td>
            <td className="nowrap">{one.owner}</td>
            <td>
              <Deadline one={one} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  </TableBox>
);

const Nothing = ({ filter, asOf }: { readonly filter: Filter; readonly asOf: BreakStanding }) => {
  const asks = filter.kind !== "" || filter.participant !== "" || filter.owner !== "";
  if (asks || (filter.state !== "" && filter.state !== "all")) {
    return (
      <Empty>
        No break fits. <Link to="/breaks?state=all">Show all</Link>
      </Empty>
    );
  }
  if (asOf.providers.length > 0) {
    return <Empty>Nothing differs, as far as each side is known.</Empty>;
  }
  return (
    <Empty>
      The log and Postgres agree. Hand in a provider's own books to compare them too:{" "}
      <code>npx sealane reconcile --statement FILE --participant NAME</code>
    </Empty>
  );
};

export const Breaks = () => {
  const query = useQueryText();
  const filter = filterOf(query);
  const page = useBreaks(new URLSearchParams(addressOf(filter).split("?")[1] ?? "").toString());
  const pages = page.data?.pages ?? [];
  const [first] = pages;
  const rows = pages.flatMap(({ breaks }) => breaks);
  return (
    <>
      <PageHead title="Breaks">
        What differs between the log, Postgres, providers' own books and banks' statements. Each has
        an owner and a deadline, and is resolved by two people.
      </PageHead>
      {first === undefined ? null : <AsOf asOf={first.asOf} />}
      {first === undefined || first.counts.length === 0 ? null : (
        <Kinds counts={first.counts} filter={filter} />
      )}
      <Filters filter={filter} />
      <Panel title="Newest first">
        {page.isPending ? <Loading lines={8} /> : null}
        {page.error === null ? null : <Fault error={page.error} />}
        {rows.length > 0 ? <BreakTable breaks={rows} label="Breaks" /> : null}
        {first !== undefined && rows.length === 0 ? (
          <Nothing filter={filter} asOf={first.asOf} />
        ) : null}
        {page.hasNextPage ? (
          <div className="more">
            <button
              type="button"
              onClick={() => void page.fetchNextPage()}
              disabled={page.isFetchingNextPage}
            >
              Older breaks
            </button>
          </div>
        ) : null}
      </Panel>
    </>
  );
};
