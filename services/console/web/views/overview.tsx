// Everything at a glance: is all well, how fast, how far, who answers.
import { useMemo } from "react";
import type { Overview, Sample, ServiceHealth, WitnessHealth } from "../../src/api-types.ts";
import { agoText, countText, durationText } from "../../src/format.ts";
import { useEntries, useHistory, useOverview } from "../api.ts";
import { Chart } from "../chart.tsx";
import { useLive } from "../live.tsx";
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
import { Link } from "../router.tsx";
import { EntryTable, mergeRows } from "./entry-table.tsx";

const shownSeconds = 300;
/** Of one second alone the rate jumps. */
const rateOver = 5;

type StatProps = {
  readonly name: string;
  readonly value: string | undefined;
  readonly unit?: string;
  readonly note: string;
  readonly tone?: Tone;
};

const Stat = ({ name, value, unit = "", note, tone }: StatProps) => (
  <div className={`stat ${tone ?? ""}`}>
    <dt>{name}</dt>
    <dd>
      <span className="value num">{value ?? "–"}</span>
      {value === undefined ? null : <span className="unit"> {unit}</span>}
      <span className="hint">{value === undefined ? "not known" : note}</span>
    </dd>
  </div>
);

const rateOf = (samples: readonly Sample[]): number | undefined => {
  const last = samples.slice(-rateOver);
  if (last.length === 0) return undefined;
  return last.reduce((sum, { committed }) => sum + committed, 0) / last.length;
};

const rateText = (rate: number): string =>
  rate === 0 || rate >= 10 ? countText(rate) : rate.toFixed(1);

const split = (text: string | undefined): { value: string | undefined; unit: string } => {
  const [value, unit = ""] = text?.split(" ") ?? [];
  return { value, unit };
};

const optionalDuration = (ms: number | null | undefined): string | undefined =>
  ms === null || ms === undefined ? undefined : durationText(ms);

const Stats = ({
  overview,
  samples,
}: {
  readonly overview: Overview;
  readonly samples: readonly Sample[];
}) => {
  const { log, ledger, books, following } = overview;
  const rate = following ? rateOf(samples) : undefined;
  const last = samples.findLast(({ sealP50Ms }) => sealP50Ms !== null);
  const p50 = split(optionalDuration(last?.sealP50Ms));
  const p99 = optionalDuration(last?.sealP99Ms) ?? "";
  const unsealed = split(optionalDuration(ledger.unsealedAgeMs));
  const lag = books.applied === undefined ? undefined : (log.size ?? books.applied) - books.applied;
  const total = Object.values(books.transfers ?? {}).reduce((sum, count) => sum + count, 0);
  const late = (ledger.unsealedAgeMs ?? 0) > 5_000;
  return (
    <dl className="stats">
      <Stat
        name="Transfers a second"
        value={rate === undefined ? undefined : rateText(rate)}
        note={`committed, over ${rateOver} s`}
      />
      <Stat name="Seal latency" {...p50} note={`median; 99 % within ${p99}`} />
      <Stat
        name="Oldest unsealed"
        {...unsealed}
        note={
          late
            ? "over 5 s: nothing new is reserved"
            : ledger.unsealedAgeMs === 0
              ? "nothing waits for a quorum"
              : "waits for a quorum"
        }
        {...(late ? { tone: "bad" } : {})}
      />
      <Stat
        name="Open transfers"
        value={ledger.openTransfers === undefined ? undefined : countText(ledger.openTransfers)}
        note="reserved, not ended"
      />
      <Stat
        name="Log"
        value={log.size === undefined ? undefined : countText(log.size)}
        unit="entries"
        note={`${countText(log.sealedSize ?? 0)} sealed`}
      />
      <Stat
        name="Books behind the log"
        value={lag === undefined ? undefined : countText(Math.max(0, lag))}
        unit="entries"
        note={`${countText(total)} transfers ended so far`}
        {...(lag !== undefined && lag > 1_000 ? { tone: "warn" } : {})}
      />
    </dl>
  );
};

const useColumns = (samples: readonly Sample[], nowMs: number) =>
  useMemo(() => {
    const end = Math.max(samples.at(-1)?.atS ?? 0, Math.floor(nowMs / 1_000) - 2);
    const byTime = new Map(samples.map((sample) => [sample.atS, sample]));
    const seconds = Array.from({ length: shownSeconds }, (_, at) => end - shownSeconds + 1 + at);
    const column = (pick: (sample: Sample) => number | null): (number | null)[] =>
      seconds.map((second) => {
        const sample = byTime.get(second);
        return sample === undefined ? null : pick(sample);
      });
    return {
      rates: [seconds, column(({ committed }) => committed), column(({ ended }) => ended)],
      seals: [seconds, column(({ sealP50Ms }) => sealP50Ms), column(({ sealP99Ms }) => sealP99Ms)],
    };
  }, [samples, nowMs]);

const rateSeries = [
  { label: "committed", color: "--chart-1", fill: true },
  { label: "rejected, expired, cancelled", color: "--chart-3" },
] as const;
const sealSeries = [
  { label: "median", color: "--chart-1" },
  { label: "99 %", color: "--chart-2" },
] as const;

const Legend = ({ series }: { readonly series: readonly { label: string; color: string }[] }) => (
  <ul className="legend">
    {series.map(({ label, color }) => (
      <li key={label}>
        <span className={`swatch ${color.slice(2)}`} aria-hidden="true" />
        {label}
      </li>
    ))}
  </ul>
);

const Charts = ({ samples }: { readonly samples: readonly Sample[] }) => {
  const { nowMs } = useLive();
  const { rates, seals } = useColumns(samples, nowMs);
  return (
    <div className="two">
      <Panel title="Transfers a second" aside={<Legend series={rateSeries} />}>
        <Chart
          label="Transfers a second, the last five minutes"
          series={rateSeries}
          data={rates}
          unit=""
        />
      </Panel>
      <Panel title="From log time to a quorum" aside={<Legend series={sealSeries} />}>
        <Chart
          label="Seal latency in ms, the last five minutes"
          series={sealSeries}
          data={seals}
          unit=" ms"
        />
      </Panel>
    </div>
  );
};

const serviceTones: Readonly<Record<ServiceHealth["state"], readonly [Tone, string]>> = {
  up: ["good", "Ready"],
  "not-ready": ["warn", "Not ready"],
  down: ["bad", "Down"],
  unknown: ["quiet", "Not asked yet"],
};

const wrongOf = ({ checks }: ServiceHealth): string =>
  Object.entries(checks)
    .filter(([, check]) => check !== "ok" && !/^\d+$/.test(check))
    .map(([name, check]) => (name === "answer" ? check : `${name}: ${check}`))
    .join("; ");

const Services = ({ services }: { readonly services: readonly ServiceHealth[] }) => {
  const { nowMs } = useLive();
  return (
    <TableBox label="Services">
      <table>
        <thead>
          <tr>
            <th scope="col">Service</th>
            <th scope="col">State</th>
            <th scope="col" className="right">
              Answers in
            </th>
            <th scope="col" className="right">
              Since
            </th>
          </tr>
        </thead>
        <tbody>
          {services.map((service) => {
            const [tone, word] = serviceTones[service.state];
            const wrong = service.state === "up" ? "" : wrongOf(service);
            return (
              <tr key={service.name}>
                <th scope="row">
                  {service.name}
                  <span className="under">{service.url.replace(/^https?:\/\//, "")}</span>
                </th>
                <td>
                  <Badge tone={tone}>{word}</Badge>
                  {wrong === "" ? null : <span className="under">{wrong}</span>}
                </td>
                <td className="right num">
                  {service.answerMs === undefined ? "–" : durationText(service.answerMs)}
                </td>
                <td className="right num muted">{agoText(service.sinceMs, nowMs)}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </TableBox>
  );
};

const witnessTones: Readonly<Record<WitnessHealth["state"], readonly [Tone, string]>> = {
  cosigning: ["good", "Cosigns"],
  behind: ["warn", "Behind"],
  down: ["bad", "Down"],
  unknown: ["quiet", "Not asked yet"],
};

const Witnesses = ({ witnesses }: { readonly witnesses: readonly WitnessHealth[] }) => (
  <TableBox label="Witnesses">
    <table>
      <thead>
        <tr>
          <th scope="col">Witness</th>
          <th scope="col">State</th>
          <th scope="col" className="right">
            Entries
          </th>
          <th scope="col" className="right">
            Last cosigned
          </th>
        </tr>
      </thead>
      <tbody>
        {witnesses.map(({ name, keyName, state, size, cosignedAt, detail }) => {
          const [tone, word] = witnessTones[state];
          return (
            <tr key={name}>
              <th scope="row">
                {name}
                <span className="under">{keyName}</span>
              </th>
              <td>
                <Badge tone={tone}>{word}</Badge>
                {detail === undefined ? null : <span className="under">{detail}</span>}
              </td>
              <td className="right num">{size === undefined ? "–" : countText(size)}</td>
              <td className="right">{cosignedAt === undefined ? "–" : <Time at={cosignedAt} />}</td>
            </tr>
          );
        })}
      </tbody>
    </table>
  </TableBox>
);

const Headline = ({ overview }: { readonly overview: Overview }) => {
  const { alerts, services, followingFault } = overview;
  if (alerts.length > 0) {
    const bad = alerts.some(({ severity }) => severity === "page");
    return (
      <div className={`banner ${bad ? "bad" : "warn"}`} role="status">
        <strong>{alerts.length === 1 ? "One alert" : `${alerts.length} alerts`}.</strong>{" "}
        {alerts[0]?.summary}. <Link to="/alerts">What to do</Link>
      </div>
    );
  }
  if (followingFault !== undefined) {
    return (
      <div className="banner warn" role="status">
        <strong>Rates are not known.</strong> The entries' topic cannot be read: {followingFault}
      </div>
    );
  }
  const unknown = services.some(({ state }) => state === "unknown");
  return (
    <div className="banner good" role="status">
      {unknown ? "Asking every service how it is." : "All services and witnesses answer. No alert."}
    </div>
  );
};

const Latest = () => {
  const { rows } = useLive();
  const page = useEntries({ text: "", outcome: "", kinds: "transfers" });
  const shown = mergeRows(rows, page.data?.pages.flatMap((one) => one.rows) ?? []).slice(0, 8);
  if (shown.length > 0) return <EntryTable rows={shown} label="Latest transfers" />;
  if (page.error !== null) return <Fault error={page.error} />;
  if (page.isPending) return <Loading lines={6} />;
  return (
    <Empty>
      No transfer yet. Send one:{" "}
      <code>npx sealane send --from hk-wallet --to ph-wallet --amount 250.00</code>
    </Empty>
  );
};

export const OverviewPage = () => {
  const overview = useOverview();
  const samples = useHistory().data ?? [];
  if (overview.data === undefined) {
    return (
      <>
        <PageHead title="Overview" />
        {overview.error === null ? <Loading lines={8} /> : <Fault error={overview.error} />}
      </>
    );
  }
  const { services, witnesses, quorum } = overview.data;
  return (
    <>
      <PageHead title="Overview" />
      <Headline overview={overview.data} />
      <Stats overview={overview.data} samples={samples} />
      <Charts samples={samples} />
      <Panel title="Latest transfers" aside={<Link to="/transfers">All transfers</Link>}>
        <Latest />
      </Panel>
      <div className="two">
        <Panel title="Services">
          <Services services={services} />
        </Panel>
        <Panel
          title="Witnesses"
          aside={<span className="muted">{`${quorum} of ${witnesses.length} make a quorum`}</span>}
        >
          <Witnesses witnesses={witnesses} />
        </Panel>
      </div>
    </>
  );
};
