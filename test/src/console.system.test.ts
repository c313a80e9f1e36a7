// The console in a real browser, on a system that asks for a login: what an operator sees at 3 a.m. Says
// SKIPPED where there is no Chromium (`.ci/run` installs it).
import { randomUUID } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { chromium, type Browser, type BrowserContextOptions, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "./eventually.ts";
import { runSealane } from "./sealane.ts";
import { startWholeSystem, type WholeSystem } from "./whole-system.ts";

const found = [process.env.SEALANE_CHROMIUM, "/usr/bin/chromium", "/usr/bin/google-chrome"].find(
  (path) => path !== undefined && existsSync(path),
);
if (found === undefined) {
  process.stderr.write("SKIPPED: the console's pages, because there is no Chromium here\n");
}

let system: WholeSystem;
let browser: Browser;
/** What no page may do, whatever is shown: faults of scripts, of the policy, calls to other hosts. */
const misdeeds: string[] = [];

const url = (path = "/"): string => `${system.stack.urls.console ?? ""}${path}`;
const tokenOf = (operator: string): string =>
  readFileSync(system.stack.home.keys(operator, "console.token"), "utf8").trim();

const send = async (payee = "+639170000001"): Promise<string> => {
  const request = {
    payer: { account: "+85290000001" },
    payee: { participant: "ph-wallet.example", account: payee },
    amount: { currency: "HKD", amount: "1000.00" },
  };
  const sent = await system.hk.send(request, { idempotencyKey: randomUUID(), waitSeconds: 20 });
  return sent.transferId;
};

const openPage = async (options: BrowserContextOptions = {}): Promise<Page> => {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  const page = await context.newPage();
  page.on("pageerror", (error) => misdeeds.push(error.message));
  page.on("console", (message) => {
    // A service that is down is a 503 of ours, which the browser notes by itself.
    const isAnswer = message.text().startsWith("Failed to load resource");
    if (message.type() === "error" && !isAnswer) misdeeds.push(message.text());
  });
  page.on("request", (request) => {
    if (!request.url().startsWith(url())) misdeeds.push(`asked ${request.url()}`);
  });
  return page;
};

const signIn = async (page: Page): Promise<void> => {
  await page.goto(url());
  await page.getByLabel("Operator's token").fill(tokenOf("alice"));
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Overview" }).waitFor();
};

const isLive = (page: Page): Promise<void> =>
  page.getByRole("status").filter({ hasText: /Live/ }).waitFor();

/** Signed in, as a new page; the session's cookie is the browser's own. */
const signedIn = async (options: BrowserContextOptions = {}): Promise<Page> => {
  const page = await openPage(options);
  await signIn(page);
  return page;
};

describe.skipIf(found === undefined)("the console", () => {
  beforeAll(async () => {
    system = await startWholeSystem({ closedBundles: true, console: true });
    const args = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"];
    browser = await chromium.launch({ executablePath: found ?? "", args });
  });
  afterAll(async () => {
    await browser?.close();
    await system?.stop();
  });
  afterEach(async () => {
    for (const context of browser.contexts()) await context.close();
    expect(misdeeds.splice(0)).toEqual([]);
  });

  it("shows nothing before an operator signs in, and says when a token is nobody's", async () => {
    const asked = await fetch(url("/api/overview"));
    expect(asked.status).toBe(401);
    const page = await openPage();
    await page.goto(url("/positions"));
    await page.getByLabel("Operator's token").fill("nobody's token at all");
    await page.keyboard.press("Enter");
    await page.getByText("This token is not known here").waitFor();
    await signIn(page);
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByLabel("Operator's token").waitFor();
  });

  it("shows a transfer that is sent while one looks, with its amounts, until it is sealed", async () => {
    const page = await signedIn();
    await isLive(page);
    const id = await send();
    const row = page.getByRole("row").filter({ has: page.getByTitle(id) });
    await row.getByText("Sealed").waitFor();
    expect(await row.textContent()).toContain("HKD 1,000.00");
    await eventually("every service is shown as ready", async () => {
      const table = page.getByRole("region", { name: "Services" });
      return (await table.getByText("Ready").count()) === 6;
    });
  });

  it("gives a receipt that verifies offline, and shows every step and signer", async () => {
    const id = await send();
    const page = await signedIn();
    await page.goto(url(`/transfers/${id}`));
    await page.getByText("Sealed, checked here").waitFor();
    await page.getByText("Signatures, checked here").waitFor();
    await page.getByText(/signed that it is credited/).waitFor();
    for (const party of ["hk-wallet.example (payer)", "ph-wallet.example (payee)"]) {
      await page.getByRole("rowheader", { name: party }).waitFor();
    }
    const downloading = page.waitForEvent("download");
    await page.getByRole("link", { name: "Download the receipt" }).click();
    const download = await downloading;
    expect(download.suggestedFilename()).toBe(`${id}.tlog-proof`);
    const receipt = await download.path();
    const policy = system.stack.home.path("trust.policy");
    const verified = await runSealane(system, ["verify", receipt, "--policy", policy, "--json"]);
    expect(JSON.parse(verified.stdout)).toMatchObject({ ok: true });
    expect(verified.status).toBe(0);
  });

  it("shows why a transfer did not go through", async () => {
    const id = await send("+639170000991");
    const page = await signedIn();
    await page.goto(url(`/transfers/${id}`));
    await page.getByText("Reason AC04").waitFor();
    await page.getByText("no money moved").waitFor();
    const heading = page.getByRole("heading", { level: 1 });
    expect(await heading.textContent()).toContain("Rejected");
  });

  it("is used by keyboard alone: search, go, follow a row", async () => {
    const id = await send();
    const page = await signedIn();
    await page.keyboard.press("/");
    await page.keyboard.type(id);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: /^Transfer/ }).waitFor();
    expect(new URL(page.url()).pathname).toBe(`/transfers/${id}`);
    await page.locator("body").click({ position: { x: 700, y: 5 } });
    await page.keyboard.press("g");
    await page.keyboard.press("p");
    await page.getByRole("heading", { name: "Positions" }).waitFor();
    await page.goBack();
    await page.getByRole("heading", { name: /^Transfer/ }).waitFor();
    await page.goto(url("/transfers"));
    const link = page.getByTitle(id);
    await link.focus();
    await page.keyboard.press("Enter");
    await page.getByText(id).first().waitFor();
  });

  it.each(["light", "dark"] as const)("fits 320 pixels in every view, %s", async (colorScheme) => {
    const id = await send();
    const page = await signedIn({ colorScheme, viewport: { width: 320, height: 640 } });
    for (const path of ["/", "/transfers", `/transfers/${id}`, "/positions", "/log", "/alerts"]) {
      await page.goto(url(path));
      await page.getByRole("heading", { level: 2 }).first().waitFor();
      const over = await page.evaluate<number>("document.documentElement.scrollWidth - innerWidth");
      expect([path, over]).toEqual([path, 0]);
    }
    const background = await page.evaluate<string>(
      "getComputedStyle(document.body).backgroundColor",
    );
    expect(background).toBe(colorScheme === "dark" ? "rgb(12, 17, 22)" : "rgb(244, 246, 248)");
  });

  it("keeps the colours that were chosen, whatever the system's are", async () => {
    const page = await signedIn({ colorScheme: "light" });
    await page.getByLabel("Colours").selectOption("dark");
    await page.reload();
    await page.getByRole("heading", { name: "Overview" }).waitFor();
    expect(await page.evaluate<string>("document.documentElement.dataset.theme")).toBe("dark");
  });

  it("shows a service that is down as down, with what still works, and when it is back", async () => {
    const page = await signedIn();
    await system.stack.kill("reconciliation");
    await page.getByText("reconciliation is down").waitFor();
    const row = page.getByRole("row").filter({ hasText: "reconciliation" });
    await row.getByText("Down").waitFor();
    const id = await send();
    await page.getByTitle(id).waitFor();
    await page.getByRole("link", { name: "Positions" }).click();
    await page.getByText("Reconciliation does not answer").waitFor();
    await system.stack.start("reconciliation");
    await page.getByRole("region", { name: "Positions" }).waitFor();
    await page.getByRole("link", { name: "Alerts" }).click();
    await page.getByText("Nothing needs you.").waitFor();
    expect(await page.title()).toBe("Alerts · Sealane");
  });

  it("says that it is not live when its own server is gone, and goes on when it is back", async () => {
    const page = await signedIn();
    await isLive(page);
    await system.stack.kill("console");
    await page.getByText("The console's server does not answer").waitFor();
    await system.stack.start("console");
    // Sessions are in the server's memory: a new one asks who one is.
    await page.getByLabel("Operator's token").waitFor();
    expect(await page.getByRole("heading", { name: "Overview" }).count()).toBe(0);
  });
});
