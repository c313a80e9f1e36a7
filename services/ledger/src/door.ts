// A lane's door is open while the lane is held here. A port that another process still has, because it does
// not know yet that it lost the lane, is tried again until it is free; the lane itself does not wait.
import type { HttpServer } from "@sealane/http";
import { pause } from "@sealane/runtime";

type Deps = {
  readonly open: () => Promise<Pick<HttpServer, "close">>;
  readonly onError: (error: unknown) => void;
};

const retryMs = 100;

export type Door = ReturnType<typeof makeDoor>;

export const makeDoor = ({ open, onError }: Deps) => {
  const stopping = new AbortController();
  let wanted = false;
  let server: Pick<HttpServer, "close"> | undefined;
  let moving: Promise<void> | undefined;

  const openOnce = async (told: boolean): Promise<boolean> => {
    try {
      server = await open();
      return false;
    } catch (error) {
      if (!told) onError(error);
      await pause(retryMs, stopping.signal);
      return true;
    }
  };

  const shut = async (): Promise<void> => {
    const was = server;
    server = undefined;
    await was?.close();
  };

  const isAsWanted = (): boolean => wanted === (server !== undefined) || stopping.signal.aborted;

  const move = async (): Promise<void> => {
    for (let told = false; !isAsWanted();) {
      if (wanted) told = await openOnce(told);
      else await shut();
    }
  };

  const begin = (): void => {
    if (moving !== undefined || isAsWanted()) return;
    moving = move().finally(() => {
      moving = undefined;
      begin();
    });
  };

  return {
    /** Opens it now. @throws node's own error, such as `EADDRINUSE` */
    open: async (): Promise<void> => {
      wanted = true;
      server ??= await open();
    },
    /** Opens or closes it in its own time; asked again, the last answer counts. */
    want: (isOpen: boolean): void => {
      wanted = isOpen;
      begin();
    },
    close: async (): Promise<void> => {
      stopping.abort();
      await moving;
      await shut();
    },
  };
};
