// Starts the pages.
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { ApiFault } from "./api.ts";
import { App } from "./app.tsx";
import { applyTheme, chosenTheme } from "./theme.ts";

applyTheme(chosenTheme());

/** What was refused stays refused; what did not answer is asked again. */
const mayRetry = (failures: number, error: Error): boolean => {
  const refused = error instanceof ApiFault && error.status >= 400 && error.status < 500;
  return !refused && failures < 1;
};

const client = new QueryClient({
  defaultOptions: { queries: { retry: mayRetry, retryDelay: 1_000, refetchOnWindowFocus: true } },
});

const root = document.querySelector("#root");
if (root === null) throw new Error("the page has no root");
createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={client}>
      <App />
    </QueryClientProvider>
  </StrictMode>,
);
