// The log as an auditor sees it: how large, by whom cosigned, under which keys.
import type { CheckpointView, KeyEntryView, LogAnswer } from "../../src/api-types.ts";
import { countText, words } from "../../src/format.ts";
import { useLog } from "../api.ts";
import { Badge, Copy, Fault, Loading, PageHead, Panel, TableBox, Time } from "../parts.tsx";

const Checkpoint = ({ title, view }: { readonly title: string; readonly view: CheckpointView }) => (
  <Panel
    title={title}
    aside={
      <Badge tone={view.quorum ? "good" : "bad"}>{view.quorum ? "Quorum" : "No quorum"}</Badge>
    }
  >
    <dl className="facts">
      <div>
        <dt>Origin</dt>
        <dd className="mono">{view.origin}</dd>
      </div>
      <div>
        <dt>Size</dt>
        <dd className="num">{countText(view.size)} entries</dd>
      </div>
      <div>
        <dt>Root</dt>
        <dd className="mono break">{view.root}</dd>
      </div>
      {view.cosignedBy.map(({ name, at }) => (
        <div key={name}>
          <dt>Cosigned</dt>
          <dd>
            {name} <Time at={at} />
          </dd>
        </div>
      ))}
    </dl>
    <details>
      <summary>The signed checkpoint</summary>
      <pre className="note" tabIndex={0} aria-label={`Checkpoint of ${view.origin}`}>
        {view.note}
      </pre>
    </details>
  </Panel>
);

const KeyLog = ({ entries }: { readonly entries: readonly KeyEntryView[] }) => (
  <Panel
    title="Key log"
    aside={<span className="muted num">{`${countText(entries.length)} entries`}</span>}
  >
    <TableBox label="Key log">
      <table>
        <thead>
          <tr>
            <th scope="col" className="right">
              Entry
            </th>
            <th scope="col">Kind</th>
            <th scope="col">Says</th>
            <th scope="col">Signed by</th>
            <th scope="col">Log time</th>
          </tr>
        </thead>
        <tbody>
          {entries.toReversed().map(({ seq, kind, subject, summary, signers, time }) => (
            <tr key={seq}>
              <td className="right num muted">{seq}</td>
              <td className="nowrap">{words(kind)}</td>
              <td>
                {subject}
                <span className="under">{summary}</span>
              </td>
              <td className="mono small">{signers.join(", ")}</td>
              <td className="nowrap">
                <Time at={time} ago={false} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </TableBox>
  </Panel>
);

const CheckIt = ({ answer }: { readonly answer: LogAnswer }) => {
  const command = `npx sealane audit ${answer.url} --policy .sealane/trust.policy`;
  return (
    <Panel title="Audit it yourself">
      <div className="take">
        <p className="muted">
          Replays every entry and recomputes every position, from this log alone:
        </p>
        <div className="command">
          <code>{command}</code>
          <Copy text={command} label="the command" />
        </div>
      </div>
      <details>
        <summary>The policy that is pinned here</summary>
        <pre className="note" tabIndex={0} aria-label="Policy">
          {answer.policy}
        </pre>
      </details>
    </Panel>
  );
};

export const LogPage = () => {
  const { data, error } = useLog();
  return (
    <>
      <PageHead title="Log">
        An append-only Merkle tree, cosigned by witnesses. The checkpoints are checked here by the
        pinned policy.
      </PageHead>
      {error === null ? null : <Fault error={error} />}
      {data === undefined ? (
        error === null ? (
          <Loading lines={10} />
        ) : null
      ) : (
        <>
          <div className="two">
            <Checkpoint title="The lane's log" view={data.lane} />
            <Checkpoint title="The key log" view={data.keys} />
          </div>
          <CheckIt answer={data} />
          <KeyLog entries={data.keyEntries} />
        </>
      )}
    </>
  );
};
