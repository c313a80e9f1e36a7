/**
 * ISO 4217 list one (current currencies and funds), by number of decimals of the minor unit.
 * Source: list-one.xml of the ISO 4217 maintenance agency (SIX), published 2024-06-25, with what
 * was decided since: ANG became XCG (amendment 176, 2025-03-31), CUC withdrawn (amendment 178),
 * XAD added (2025), BGN withdrawn (Bulgaria uses EUR since 2026-01-01).
 * Not here, because amounts of them have no minor unit: metals (XAU, XAG, XPT, XPD), units of
 * account (XBA to XBD, XDR, XSU, XUA), tests (XTS) and no currency (XXX).
 */

/** Number of decimals of a currency's minor unit. */
export type CurrencyExponent = 0 | 2 | 3 | 4;

/** Codes by exponent, in alphabetical order. */
export const CODES_BY_EXPONENT: readonly (readonly [CurrencyExponent, string])[] = [
  [0, "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"],
  [
    2,
    "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD " +
      "CAD CDF CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP " +
      "GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD " +
      "KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN " +
      "NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK " +
      "SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN " +
      "UYU UZS VED VES WST XAD XCD XCG YER ZAR ZMW ZWG",
  ],
  [3, "BHD IQD JOD KWD LYD OMR TND"],
  [4, "CLF UYW"],
];
