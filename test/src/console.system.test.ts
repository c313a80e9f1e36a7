// The console in a real browser, on a system that asks for a login: what an operator sees at 3 a.m. Says
// SKIPPED where there is no Chromium (`.ci/run` installs it).
import { randomUUID } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { chromium, type Browser, type BrowserContextOptions, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "./eventually.ts";
import { runSealane, sealaneJson } from "./sealane.ts";
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

const signIn = async (page: Page, operator = "alice"): Promise<void> => {
  await page.goto(url());
  await page.getByLabel("Operator's token").fill(tokenOf(operator));
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Overview" }).waitFor();
};

/** Tells the desk who acts, on a break's page. */
const actAs = async (page: Page, person: string): Promise<void> => {
  const token = readFileSync(system.stack.home.keys(person, "staff.token"), "utf8").trim();
  await page.getByLabel("Your token at the desk").fill(token);
  await page.keyboard.press("Enter");
};

/** Books of a provider in which nothing stands. */
const emptyBooks = async (participant: string): Promise<void> => {
  const file = system.stack.home.path(`books-${participant}.csv`);
  writeFileSync(file, "reference,transfer,amount,currency,bookedAt\n");
  const [to, from] = [Date.now(), Date.now() - 1_000].map((ms) => new Date(ms).toISOString());
  const period = ["--from", from ?? "", "--to", to ?? ""];
  const books = ["reconcile", "--statement", file, "--participant", participant];
  await sealaneJson(system, [...books, ...period]);
};

/** A wallet's own books that say 7.00 more than the log does. @returns the break's id */
const makeBreak = async (transfer: string): Promise<string> => {
  const { home } = system.stack;
  const to = new Date().toISOString();
  const from = new Date(Date.now() - 3_600_000).toISOString();
  const statement = home.path(`books-${transfer}.csv`);
  writeFileSync(statement, `Txn,UETR,Amount,bookedAt\nT-1,${transfer},-1007.00,${from}\n`);
  const mapping = home.path("mapping.json");
  const columns = { reference: "Txn", transfer: "UETR", amount: "Amount" };
  writeFileSync(mapping, JSON.stringify({ columns, currency: "HKD" }));
  const books = ["reconcile", "--statement", statement, "--mapping", mapping];
  const whose = ["--participant", "hk-wallet.example", "--from", from, "--to", to];
  await sealaneJson(system, [...books, ...whose]);
  type List = { breaks: { id: string; kind: string; transfer?: string }[] };
  const made = await eventually("the break is found", async () => {
    const { breaks } = (await sealaneJson(system, ["break", "list"])) as unknown as List;
    return breaks.find((one) => one.kind === "amount" && one.transfer === transfer);
  });
  return made.id;
};

const cutWindow = (number: number): Promise<unknown> =>
  eventually(
    `window ${number} is cut`,
    async () => {
      const key = system.stack.home.keys("alice", "operator.key");
      const args = `window cut hkd-php --number ${number} --operator-key ${key} --json`;
      return (await runSealane(system, args.split(" "))).stdout.includes('"already":true');
    },
    60_000,
  );

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

  it("asks the adapters what waits for operators, with a token for that alone", async () => {
    const page = await signedIn();
    await page.goto(url("/approvals"));
    await page.getByText("No adapter holds a transfer.").waitFor();
    expect(await page.getByText("not known").count()).toBe(0);
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
    const lists = ["/", "/transfers", "/positions", "/windows", "/breaks", "/approvals", "/log"];
    const single = [`/transfers/${id}`, "/windows/hkd-php/0", "/alerts"];
    for (const path of [...lists, ...single]) {
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

  it("shows an open window's running nets, and a cut one's, which sum to zero", async () => {
    await send();
    const page = await signedIn();
    await page.keyboard.press("g");
    await page.keyboard.press("w");
    const running = page.getByRole("region", { name: "Running totals of hkd-php/0" });
    await running.getByRole("rowheader", { name: "hk-wallet.example" }).waitFor();
    await page.getByText("None was cut yet").waitFor();
    await cutWindow(0);
    await page
      .getByRole("region", { name: "Cut windows" })
      .getByRole("link", { name: "hkd-php/0" })
      .click();
    await page.getByText("All nets in HKD sum to 0.00").waitFor();
    await page.getByText("All nets in PHP sum to 0.00").waitFor();
    await page.getByText("No bank has said anything yet").waitFor();
    const downloading = page.waitForEvent("download");
    await page.getByRole("link", { name: "Instructions (pacs.009)" }).click();
    const file = await (await downloading).path();
    expect(readFileSync(file, "utf8")).toContain("pacs.009");
    await page.goto(url("/windows/hkd-php/7"));
    await page.getByText("No such window has been cut").waitFor();
  });

  it("takes a break from the list to its end, by two people and not by one", async () => {
    const transfer = await send();
    const id = await makeBreak(transfer);
    const page = await signedIn();
    await page.goto(url("/breaks?kind=amount"));
    await page.getByText(/As of position \d+ of the log/).waitFor();
    const row = page.getByRole("row").filter({ hasText: "HKD 1,007.00" });
    expect(await row.textContent()).toContain("HKD 1,000.00 by the log");
    await row.getByRole("link").click();
    await page.getByText("1007.00 booked, the log has 1000.00").first().waitFor();
    await actAs(page, "bob");
    await page.getByText("This token is bob's, and alice is signed in").waitFor();
    await actAs(page, "alice");
    await page.getByText("Acting as operator/alice").waitFor();
    await page.getByLabel("What you know").fill("their core booked a fee twice");
    await page.getByRole("button", { name: "Comment" }).click();
    await page.getByText("their core booked a fee twice").last().waitFor();
    // Where money moves: the text to sign is shown, and no key is asked for.
    await page.getByLabel("Outcome").selectOption("adjusted");
    await page.getByLabel("Why").fill("they correct it tomorrow");
    await page.getByLabel("Amount in HKD").fill("7.00");
    await page.getByRole("button", { name: "Show the text to sign" }).click();
    await page.getByLabel("The text to sign", { exact: true }).getByText(id).waitFor();
    await page.getByLabel("Outcome").selectOption("corrected");
    await page.getByRole("button", { name: "Propose" }).click();
    await page.getByText("You proposed it: somebody else approves.").waitFor();
    expect(await page.getByRole("button", { name: "Approve" }).count()).toBe(0);

    const second = await openPage();
    await signIn(second, "bob");
    await second.getByRole("link", { name: "Approvals" }).click();
    const waiting = second.getByRole("region", { name: "Proposed resolutions" });
    await waiting.getByRole("link", { name: "Amount" }).click();
    await actAs(second, "bob");
    await second.getByRole("button", { name: "Approve" }).click();
    await second.getByRole("heading", { level: 1 }).getByText("Resolved").waitFor();
    await page.getByRole("heading", { level: 1 }).getByText("Resolved").waitFor();
  });

  it("says how far each provider's books are known, in 320 pixels too", async () => {
    await emptyBooks("ph-wallet.example");
    await emptyBooks("fx-desk.example");
    const page = await signedIn({ viewport: { width: 320, height: 640 } });
    await page.goto(url("/breaks"));
    await page.getByText("fx-desk: known up to").waitFor();
    const over = await page.evaluate<number>("document.documentElement.scrollWidth - innerWidth");
    expect(over).toBe(0);
  });

  it("links a return and its original both ways", async () => {
    const transfer = await send();
    await eventually("it is credited", async () => {
      return (await system.hk.get(transfer)).status === "credited";
    });
    const given = await system.ph.giveBack(
      transfer,
      { amount: { currency: "PHP", amount: "100.00" }, reason: "AM09" },
      { idempotencyKey: randomUUID(), waitSeconds: 20 },
    );
    const page = await signedIn();
    await page.goto(url(`/transfers/${transfer}`));
    const links = page.getByRole("region", { name: "Returns and recalls" });
    await links.getByRole("link", { name: "Return" }).click();
    await page.getByText("AM09 (ISO 20022)").first().waitFor();
    expect(new URL(page.url()).pathname).toBe(`/transfers/${given.transferId}`);
    await page.getByRole("link", { name: transfer }).click();
    await page.getByRole("heading", { name: /^Transfer/ }).waitFor();
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
    await page.goto(url("/approvals"));
    await page.getByText("Breaks: not known.").waitFor();
    expect(await page.getByText("No resolution is proposed.").count()).toBe(0);
    await page.goBack();
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
