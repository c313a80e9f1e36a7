// Transfers as they end, live; found by id, party, amount or reason; back to the log's first entry.
import { useDeferredValue, useEffect, useState } from "react";
import type { EntryRow } from "../../src/api-types.ts";
import { countText } from "../../src/format.ts";
import { useEntries, type EntryFilter } from "../api.ts";
import { useLive } from "../live.tsx";
import { Badge, Empty, Fault, Loading, PageHead, Panel } from "../parts.tsx";
import { EntryTable, mergeRows } from "./entry-table.tsx";

const outcomes = ["committed", "rejected", "expired", "cancelled"] as const;

type BarProps = {
  readonly filter: EntryFilter;
  readonly onChange: (filter: EntryFilter) => void;
};

const FilterBar = ({ filter, onChange }: BarProps) => (
  <div className="filters">
    <label htmlFor="text">
      Search
      <input
        id="text"
        type="search"
        value={filter.text}
        placeholder="Id, participant, amount, reason"
        onChange={({ target }) => onChange({ ...filter, text: target.value })}
        autoComplete="off"
        spellCheck={false}
      />
    </label>
    <label htmlFor="outcome">
      Outcome
      <select
        id="outcome"
        value={filter.outcome}
        onChange={({ target }) => onChange({ ...filter, outcome: target.value })}
      >
        <option value="">Any</option>
        {outcomes.map((outcome) => (
          <option key={outcome} value={outcome}>
            {outcome}
          </option>
        ))}
      </select>
    </label>
    <label htmlFor="kinds">
      Show
      <select
        id="kinds"
        value={filter.kinds}
        onChange={({ target }) =>
          onChange({ ...filter, kinds: target.value === "all" ? "all" : "transfers" })
        }
      >
        <option value="transfers">Transfers</option>
        <option value="all">Every entry</option>
      </select>
    </label>
  </div>
);

/** The list stands still while somebody reads it. */
const usePausable = (rows: readonly EntryRow[]) => {
  const [held, setHeld] = useState<readonly EntryRow[]>();
  const missed =
    held === undefined ? 0 : rows.filter(({ seq }) => seq > (held[0]?.seq ?? -1)).length;
  return {
    rows: held ?? rows,
    paused: held !== undefined,
    missed,
    toggle: () => setHeld(held === undefined ? rows : undefined),
  };
};

const fromAddress = (): string => new URLSearchParams(location.search).get("text") ?? "";

export const Transfers = () => {
  const [filter, setFilter] = useState<EntryFilter>({
    text: fromAddress(),
    outcome: "",
    kinds: "transfers",
  });
  const wanted = useDeferredValue(filter);
  const page = useEntries(wanted);
  const live = useLive();
  const { rows: told, paused, missed, toggle } = usePausable(live.rows);
  const isPlain = wanted.text === "" && wanted.outcome === "" && wanted.kinds === "transfers";
  const asked = page.data?.pages ?? [];
  const rows = mergeRows(
    isPlain ? told : [],
    asked.flatMap((one) => one.rows),
  );
  const last = asked.at(-1);

  useEffect(() => {
    const onMove = (): void => setFilter((known) => ({ ...known, text: fromAddress() }));
    addEventListener("sealane-navigated", onMove);
    return () => removeEventListener("sealane-navigated", onMove);
  }, []);

  return (
    <>
      <PageHead title="Transfers">
        What the ledger has decided, in the order of its log. No account and no name is in it.
      </PageHead>
      <FilterBar filter={filter} onChange={setFilter} />
      <Panel
        title={isPlain ? "Newest first" : "Found"}
        aside={
          isPlain ? (
            <>
              {missed > 0 ? (
                <span className="muted num">{countText(missed)} more since</span>
              ) : null}
              <button type="button" onClick={toggle} aria-pressed={paused}>
                {paused ? "Go on" : "Pause"}
              </button>
            </>
          ) : (
            <Badge tone="quiet">{`${countText(rows.length)} so far`}</Badge>
          )
        }
      >
        {rows.length > 0 ? <EntryTable rows={rows} label="Transfers" /> : null}
        {page.isPending ? <Loading lines={8} /> : null}
        {page.error === null ? null : <Fault error={page.error} />}
        {last?.fault === undefined ? null : <Empty>{last.fault}</Empty>}
        {rows.length === 0 && !page.isPending && page.error === null ? (
          <Empty>
            {isPlain
              ? "No transfer yet."
              : `Nothing fits among entries ${countText(last?.searchedFrom ?? 0)} and later.`}
          </Empty>
        ) : null}
        {page.hasNextPage ? (
          <div className="more">
            <button
              type="button"
              onClick={() => void page.fetchNextPage()}
              disabled={page.isFetchingNextPage}
            >
              {page.isFetchingNextPage ? "Reading the log" : "Older entries"}
            </button>
            <span className="muted num">before entry {countText(last?.older ?? 0)}</span>
          </div>
        ) : null}
      </Panel>
    </>
  );
};
