// What somebody must look at, worst first, with what to do.
import { useOverview } from "../api.ts";
import { Badge, Empty, Fault, Loading, PageHead, Panel, Time } from "../parts.tsx";

export const Alerts = () => {
  const { data, error } = useOverview();
  return (
    <>
      <PageHead title="Alerts">
        A page: money waits, or proof is missing. A ticket: before the day ends.
      </PageHead>
      {data === undefined ? (
        error === null ? (
          <Loading />
        ) : (
          <Fault error={error} />
        )
      ) : (
        <Panel title={data.alerts.length === 0 ? "Now" : `Now: ${data.alerts.length}`}>
          {data.alerts.length === 0 ? (
            <Empty>
              Nothing needs you. The rules look each second at every service, witness, the log and
              the books.
            </Empty>
          ) : (
            <ul className="alerts">
              {data.alerts.map(({ code, severity, summary, action, sinceMs }) => (
                <li key={code} className={severity === "page" ? "bad" : "warn"}>
                  <Badge tone={severity === "page" ? "bad" : "warn"}>
                    {severity === "page" ? "Page" : "Ticket"}
                  </Badge>
                  <div>
                    <p className="summary">{summary}</p>
                    <p className="muted">{action}.</p>
                  </div>
                  <Time at={new Date(sinceMs).toISOString().replace(/\.\d+/, "")} />
                </li>
              ))}
            </ul>
          )}
        </Panel>
      )}
    </>
  );
};
