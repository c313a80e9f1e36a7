// Who acts: a person's own token at reconciliation's desk. It is no key, and never leaves the console's server.
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import type { DeskSession } from "../../src/desk-shapes.ts";
import { enterDesk, leaveDesk } from "../desk-api.ts";
import { Badge, Fault } from "../parts.tsx";

export const DeskLogin = () => {
  const client = useQueryClient();
  const [token, setToken] = useState("");
  const [fault, setFault] = useState<Error>();
  const [busy, setBusy] = useState(false);
  const enter = async (): Promise<void> => {
    setBusy(true);
    setFault(undefined);
    try {
      await enterDesk(client, token);
    } catch (error) {
      setFault(error instanceof Error ? error : new Error("It was not taken"));
    }
    setBusy(false);
  };
  return (
    <form
      className="deed"
      onSubmit={(event) => {
        event.preventDefault();
        void enter();
      }}
    >
      <p className="muted">
        To act, say who you are. The desk knows you by your token; it is in{" "}
        <code>keys/&lt;your name&gt;/staff.token</code>.
      </p>
      <label htmlFor="desk-token">
        Your token at the desk
        <input
          id="desk-token"
          type="password"
          value={token}
          onChange={({ target }) => setToken(target.value)}
          autoComplete="off"
          required
          minLength={16}
        />
      </label>
      {fault === undefined ? null : <Fault error={fault} />}
      <button type="submit" className="primary" disabled={busy}>
        {busy ? "Asking the desk" : "Act as its owner"}
      </button>
    </form>
  );
};

export const DeskWho = ({ session }: { readonly session: DeskSession }) => {
  const client = useQueryClient();
  return (
    <div className="desk-who">
      <Badge tone="quiet">{`Acting as ${session.principal ?? ""}`}</Badge>
      <button type="button" className="link" onClick={() => void leaveDesk(client)}>
        Stop
      </button>
    </div>
  );
};
