// How a view moves: told to the core, written behind, shown to whoever waits. One place for everything
// that reads the inbox.
import { noticeOf } from "@sealane/rules";
import type { Persister } from "./persister.ts";
import type { TransferBook } from "./transfer-book.ts";
import type { Kept } from "./view-store.ts";
import { advance, type TransferStatus, type TransferView } from "./views.ts";

export type ViewMover = ReturnType<typeof makeViewMover>;

export const makeViewMover = (deps: {
  readonly book: TransferBook;
  readonly persister: Persister;
  readonly onMoved: (kept: Kept) => void;
  readonly onStep: (step: TransferStatus, view: TransferView, atMs: number) => void;
}) => {
  const { book, persister } = deps;
  /** The view of a transfer that has not ended: if it was ever known, it is in memory. */
  const openView = (id: string, role: TransferView["role"]): Kept =>
    book.get(id) ?? book.put({ id, role, status: "received", steps: {}, notice: 0, notified: 0 });

  /** The view of a transfer that may have ended long ago. @param known what was found of it */
  const viewOf = (known: Kept | undefined, id: string, role: TransferView["role"]): Kept =>
    book.get(id) ?? (known === undefined ? openView(id, role) : book.adopt(known));

  const viewFor = async (id: string, role: TransferView["role"]): Promise<Kept> =>
    viewOf(await book.findKept(id), id, role);

  /** @param binding false for a refusal that binds nothing */
  const move = (kept: Kept, to: TransferStatus, atMs: number, binding = true): void => {
    if (advance(kept.view, to, binding)) {
      const { steps } = kept.view;
      if (to === "reserved" || to === "committed" || to === "sealed" || to === "credited") {
        steps[to] = atMs;
      }
      deps.onStep(to, kept.view, atMs);
      kept.view.notice = noticeOf(kept.view, to, binding);
      deps.onMoved(kept);
    }
    persister.view(kept);
    book.changed(kept);
  };

  return { openView, viewOf, viewFor, move };
};
