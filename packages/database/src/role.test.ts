import { expect, it } from "vitest";
import { scramVerifier } from "./role.ts";

it("derives the verifier of RFC 7677's example", () => {
  // RFC 7677 §3: user "user", password "pencil", this salt, 4096 iterations. Its client proof and
  // server signature follow from these two keys (computed with Python's hashlib and hmac).
  const salt = Buffer.from("W22ZaJ0SNY7soEsUEjb6gQ==", "base64");
  expect(scramVerifier("pencil", salt)).toBe(
    "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=",
  );
});
