// The frame around every view: where one is, whether what is shown is live, how many alerts there are.
import { useEffect, useState } from "react";
import type { Session } from "../src/api-types.ts";
import { clockText, groupDigits } from "../src/format.ts";
import { ask, useOverview, useSession } from "./api.ts";
import { LiveProvider, useLive } from "./live.tsx";
import { Badge, Fault, Loading } from "./parts.tsx";
import { Link, navigate, usePath } from "./router.tsx";
import { applyTheme, chosenTheme, type Theme } from "./theme.ts";
import { Alerts } from "./views/alerts.tsx";
import { ApprovalsPage } from "./views/approvals.tsx";
import { BreakPage } from "./views/break.tsx";
import { Breaks } from "./views/breaks.tsx";
import { EntryPage, TransferPage } from "./views/entry.tsx";
import { LogPage } from "./views/log.tsx";
import { Login } from "./views/login.tsx";
import { OverviewPage } from "./views/overview.tsx";
import { Positions } from "./views/positions.tsx";
import { Transfers } from "./views/transfers.tsx";
import { WindowPage } from "./views/window.tsx";
import { Windows } from "./views/windows.tsx";

const places = [
  { path: "/", name: "Overview", key: "o" },
  { path: "/transfers", name: "Transfers", key: "t" },
  { path: "/positions", name: "Positions", key: "p" },
  { path: "/windows", name: "Windows", key: "w" },
  { path: "/breaks", name: "Breaks", key: "b" },
  { path: "/approvals", name: "Approvals", key: "v" },
  { path: "/log", name: "Log", key: "l" },
  { path: "/alerts", name: "Alerts", key: "a" },
] as const;

const isAt = (path: string, place: string): boolean =>
  place === "/"
    ? path === "/"
    : path === place ||
      path.startsWith(`${place}/`) ||
      (place === "/transfers" && path.startsWith("/entries/"));

const View = ({ path }: { readonly path: string }) => {
  const [, room = "", name = "", more = ""] = path.split("/");
  if (room === "transfers" && name !== "") return <TransferPage key={name} id={name} />;
  if (room === "entries" && name !== "") return <EntryPage key={name} seq={name} />;
  if (room === "breaks" && name !== "") return <BreakPage key={name} id={name} />;
  if (room === "windows" && name !== "") {
    return <WindowPage key={`${name}/${more}`} corridor={name} number={more} />;
  }
  switch (room) {
    case "":
      return <OverviewPage />;
    case "transfers":
      return <Transfers />;
    case "positions":
      return <Positions />;
    case "windows":
      return <Windows />;
    case "breaks":
      return <Breaks />;
    case "approvals":
      return <ApprovalsPage />;
    case "log":
      return <LogPage />;
    case "alerts":
      return <Alerts />;
    default:
      return (
        <div className="page-head">
          <h1>There is nothing at this address</h1>
          <p>
            Go to the <Link to="/">overview</Link>.
          </p>
        </div>
      );
  }
};

const ThemeSwitch = () => {
  const [theme, setTheme] = useState<Theme>(chosenTheme);
  return (
    <label className="theme">
      <span className="visually-hidden">Colours</span>
      <select
        value={theme}
        onChange={({ target }) => {
          const chosen = target.value as Theme;
          applyTheme(chosen);
          setTheme(chosen);
        }}
      >
        <option value="system">System colours</option>
        <option value="light">Light</option>
        <option value="dark">Dark</option>
      </select>
    </label>
  );
};

const ConnectionBadge = () => {
  const { connection, nowMs } = useLive();
  const clock =
    nowMs === 0 ? "" : clockText(new Date(nowMs - (nowMs % 1_000)).toISOString(), nowMs);
  return (
    <div className="connection" role="status">
      {connection === "live" ? <Badge tone="good">Live</Badge> : null}
      {connection === "connecting" ? <Badge tone="quiet">Connecting</Badge> : null}
      {connection === "lost" ? <Badge tone="bad">Not live</Badge> : null}
      <span className="num muted clock">{clock} UTC</span>
    </div>
  );
};

const SignedIn = ({ session }: { readonly session: Session }) => {
  if (session.open) {
    return <p className="who">Local stack: open to this machine (127.0.0.1), without a login.</p>;
  }
  const leave = async (): Promise<void> => {
    await ask("/api/desk/logout", { method: "POST" });
    await ask("/api/logout", { method: "POST" });
    // Begin anew: nothing that was shown stays in memory.
    location.assign("/");
  };
  return (
    <p className="who">
      {session.operator}{" "}
      <button type="button" className="link" onClick={() => void leave()}>
        Sign out
      </button>
    </p>
  );
};

/** `/` goes to the search; `g` and a letter to a place, as in many consoles. */
const useKeys = (): void => {
  useEffect(() => {
    let goes = false;
    const onKey = (event: KeyboardEvent): void => {
      const { target, key } = event;
      if (target instanceof HTMLElement && target.closest("input, select, textarea") !== null)
        return;
      if (event.metaKey || event.ctrlKey || event.altKey) return;
      if (key === "/") {
        event.preventDefault();
        document.querySelector<HTMLInputElement>("#find")?.focus();
      }
      const place = goes ? places.find((one) => one.key === key) : undefined;
      goes = key === "g";
      if (place !== undefined) navigate(place.path);
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, []);
};

const idPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** An id or a place in the log goes straight there; anything else is searched for. */
const Find = () => {
  const [text, setText] = useState("");
  const go = (): void => {
    const wanted = text.trim().toLowerCase();
    if (wanted === "") return;
    if (idPattern.test(wanted)) navigate(`/transfers/${wanted}`);
    else if (/^#?\d{1,15}$/.test(wanted)) navigate(`/entries/${wanted.replace("#", "")}`);
    else navigate(`/transfers?text=${encodeURIComponent(text.trim())}`);
    setText("");
  };
  return (
    <form
      role="search"
      className="find"
      onSubmit={(event) => {
        event.preventDefault();
        go();
      }}
    >
      <label className="visually-hidden" htmlFor="find">
        Find a transfer by its id, an entry by its place
      </label>
      <input
        id="find"
        type="search"
        value={text}
        placeholder="Transfer id or entry number"
        onChange={({ target }) => setText(target.value)}
        autoComplete="off"
        spellCheck={false}
      />
      <kbd aria-hidden="true">/</kbd>
    </form>
  );
};

const Nav = ({ path }: { readonly path: string }) => {
  const overview = useOverview().data;
  const alerts = overview?.alerts ?? [];
  const pages = alerts.some(({ severity }) => severity === "page");
  return (
    <nav aria-label="Views">
      {places.map(({ path: to, name }) => (
        <Link key={to} to={to} aria-current={isAt(path, to) ? "page" : undefined}>
          {name}
          {name === "Alerts" && alerts.length > 0 ? (
            <span className={`count ${pages ? "bad" : "warn"}`}>{alerts.length}</span>
          ) : null}
        </Link>
      ))}
    </nav>
  );
};

const LostBanner = () => {
  const { connection } = useLive();
  const overview = useOverview().data;
  if (connection !== "lost") return null;
  const known = overview === undefined ? undefined : new Date(overview.nowMs).toISOString();
  return (
    <div className="banner bad" role="alert">
      The console's server does not answer.{" "}
      {known === undefined ? "" : `Shown is what was known at ${known.slice(11, 19)} UTC.`}
    </div>
  );
};

const Titles = ({ path }: { readonly path: string }) => {
  const alerts = useOverview().data?.alerts.length ?? 0;
  const place = places.findLast(({ path: to }) => isAt(path, to))?.name ?? "Console";
  useEffect(() => {
    document.title = `${alerts > 0 ? `(${groupDigits(String(alerts))}) ` : ""}${place} · Sealane`;
  }, [alerts, place]);
  return null;
};

const Shell = ({ session }: { readonly session: Session }) => {
  const path = usePath();
  useKeys();
  return (
    <LiveProvider>
      <a className="skip" href="#main">
        Skip to the content
      </a>
      <Titles path={path} />
      <div className="shell">
        <aside>
          <Link to="/" className="brand">
            <svg viewBox="0 0 32 32" aria-hidden="true">
              <path d="M4 21c4-5.500 8-5.500 12 0s8 5.500 12 0" />
              <path d="M4 12c4-5.500 8-5.500 12 0s8 5.500 12 0" />
            </svg>
            Sealane
          </Link>
          <Nav path={path} />
          <div className="foot">
            <p className="origin" title="The log's origin">
              {session.origin}
            </p>
            <SignedIn session={session} />
          </div>
        </aside>
        <div className="content">
          <header className="top">
            <Find />
            <ConnectionBadge />
            <ThemeSwitch />
          </header>
          <LostBanner />
          <main id="main" tabIndex={-1}>
            <View path={path} />
          </main>
        </div>
      </div>
    </LiveProvider>
  );
};

export const App = () => {
  const session = useSession();
  if (session.data === undefined) {
    return (
      <div className="alone">
        {session.error === null ? <Loading /> : <Fault error={session.error} />}
      </div>
    );
  }
  const { open, operator } = session.data;
  return open || operator !== undefined ? <Shell session={session.data} /> : <Login />;
};
