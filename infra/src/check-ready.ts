// `node infra/src/check-ready.ts URL`: exit 0 when it answers 2xx within 3 s, else 1. The health check
// of our containers, whose image has no other HTTP client.
const ready = async (url: string): Promise<boolean> => {
  try {
    return (await fetch(url, { signal: AbortSignal.timeout(3_000) })).ok;
  } catch {
    return false;
  }
};

process.exit((await ready(process.argv[2] ?? "")) ? 0 : 1);
