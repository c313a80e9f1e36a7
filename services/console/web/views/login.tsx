// Where the console is not on the local stack: an operator's token for a session.
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { ask } from "../api.ts";
import { Fault } from "../parts.tsx";

export const Login = () => {
  const client = useQueryClient();
  const [error, setError] = useState<Error>();
  const [busy, setBusy] = useState(false);

  const signIn = async (form: FormData): Promise<void> => {
    setBusy(true);
    setError(undefined);
    try {
      const body = JSON.stringify({ token: form.get("token") });
      const headers = { "Content-Type": "application/json" };
      await ask("/api/login", { method: "POST", body, headers });
      await client.invalidateQueries({ queryKey: ["session"] });
    } catch (fault) {
      setError(fault as Error);
    } finally {
      setBusy(false);
    }
  };

  return (
    <main className="alone login">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void signIn(new FormData(event.currentTarget));
        }}
      >
        <h1>Sealane console</h1>
        <label htmlFor="token">Operator's token</label>
        <input
          id="token"
          name="token"
          type="password"
          autoComplete="current-password"
          minLength={16}
          required
          autoFocus
        />
        <button type="submit" className="primary" disabled={busy}>
          {busy ? "Signing in" : "Sign in"}
        </button>
        {error === undefined ? null : <Fault error={error} />}
        <p className="muted">
          The token is in <code>keys/&lt;operator&gt;/console.token</code>. The session lasts twelve
          hours, in a cookie that no script can read.
        </p>
      </form>
    </main>
  );
};
