// `node --import test/faults/failpoints/register.ts services/…/main.ts`: the service gets its database and
// its messaging through the files beside this one. The product has no code for it: nothing on the hot path,
// and nothing that a variable could switch on in production.
import { registerHooks } from "node:module";

const here = new URL(".", import.meta.url).href;
const standIns: Readonly<Record<string, string>> = {
  "@sealane/database": new URL("database.ts", here).href,
  "@sealane/messaging": new URL("messaging.ts", here).href,
};

registerHooks({
  resolve: (specifier, context, next) => {
    const url = standIns[specifier];
    if (url === undefined || context.parentURL?.startsWith(here) === true) {
      return next(specifier, context);
    }
    return { url, shortCircuit: true };
  },
});
