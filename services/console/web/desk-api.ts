// Windows, breaks and approvals, as the pages ask for them; and what people do, which is told once: the key
// of a try stays the same until the server has answered, whatever was lost on the way.
import {
  useInfiniteQuery,
  useMutation,
  useQuery,
  useQueryClient,
  type QueryClient,
} from "@tanstack/react-query";
import { useRef } from "react";
import type {
  Approvals,
  BreakList,
  DeskSession,
  WholeBreak,
  WindowAnswer,
  WindowList,
} from "../src/desk-shapes.ts";
import { ApiFault, ask } from "./api.ts";

const everyMs = 4_000;

export const useWindows = () =>
  useInfiniteQuery({
    queryKey: ["windows"],
    queryFn: ({ pageParam, signal }) => {
      const query = pageParam === undefined ? "" : `?after=${pageParam}`;
      return ask<WindowList>(`/api/windows${query}`, { signal });
    },
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next,
    refetchInterval: everyMs,
  });

export const useWindow = (corridor: string, number: string) =>
  useQuery({
    queryKey: ["window", corridor, number],
    queryFn: ({ signal }) =>
      ask<WindowAnswer>(
        `/api/windows/${encodeURIComponent(corridor)}/${encodeURIComponent(number)}`,
        { signal },
      ),
    refetchInterval: everyMs,
  });

/** @param query filters, as in the address */
export const useBreaks = (query: string) =>
  useInfiniteQuery({
    queryKey: ["breaks", query],
    queryFn: ({ pageParam, signal }) => {
      const said = new URLSearchParams(query);
      if (pageParam !== undefined) said.set("after", pageParam);
      return ask<BreakList>(`/api/breaks?${said.toString()}`, { signal });
    },
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next,
    refetchInterval: everyMs,
  });

export const useBreak = (id: string) =>
  useQuery({
    queryKey: ["break", id],
    queryFn: ({ signal }) => ask<WholeBreak>(`/api/breaks/${encodeURIComponent(id)}`, { signal }),
    refetchInterval: everyMs,
  });

export const useApprovals = () =>
  useQuery({
    queryKey: ["approvals"],
    queryFn: ({ signal }) => ask<Approvals>("/api/approvals", { signal }),
    refetchInterval: everyMs,
  });

export const useDesk = () =>
  useQuery({
    queryKey: ["desk"],
    queryFn: ({ signal }) => ask<DeskSession>("/api/desk", { signal }),
  });

const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
  ask<unknown>(path, {
    method: "POST",
    body: JSON.stringify(body),
    headers: { "Content-Type": "application/json", ...headers },
  });

export const enterDesk = async (client: QueryClient, token: string): Promise<void> => {
  await post("/api/desk/login", { token });
  await client.invalidateQueries({ queryKey: ["desk"] });
};

export const leaveDesk = async (client: QueryClient): Promise<void> => {
  await post("/api/desk/logout", {});
  await client.invalidateQueries({ queryKey: ["desk"] });
};

export type Deed = {
  readonly deed: "comments" | "owner" | "proposal" | "approval" | "rejection";
  readonly body: Readonly<Record<string, string>>;
};

/** 128 random bits; `randomUUID` is not there on a page without TLS that is not on this machine. */
const newKey = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
    byte.toString(16).padStart(2, "0"),
  ).join("");

export const useDeed = (id: string) => {
  const client = useQueryClient();
  const trying = useRef<{ readonly said: string; readonly key: string }>(undefined);
  return useMutation({
    mutationFn: async ({ deed, body }: Deed) => {
      const said = JSON.stringify([deed, body]);
      if (trying.current?.said !== said) trying.current = { said, key: newKey() };
      const headers = { "Idempotency-Key": trying.current.key };
      try {
        await post(`/api/breaks/${encodeURIComponent(id)}/${deed}`, body, headers);
        trying.current = undefined;
      } catch (error) {
        // An answer ends the try; silence does not.
        if (error instanceof ApiFault && error.status !== 0 && error.status !== 503) {
          trying.current = undefined;
        }
        throw error;
      }
    },
    onSettled: () =>
      Promise.all([
        client.invalidateQueries({ queryKey: ["break", id] }),
        client.invalidateQueries({ queryKey: ["breaks"] }),
        client.invalidateQueries({ queryKey: ["approvals"] }),
        client.invalidateQueries({ queryKey: ["desk"] }),
      ]),
  });
};

export const askAdjustment = (
  id: string,
  side: string,
  amount: string,
  text: string,
): Promise<{ readonly text: string }> => {
  const query = new URLSearchParams({ side, amount, text });
  return ask(`/api/breaks/${encodeURIComponent(id)}/adjustment?${query.toString()}`);
};
