// The world of `npm run demo:day`: the demo's parties, a wallet in Singapore and a second liquidity provider,
// three corridors, and advances small enough to be read. The demo's own parties stay as they are.
import {
  bankAccounts,
  dayPortPlan,
  feeSchedules,
  operator,
  portPlan,
  providers,
  wallets,
  type World,
} from "./world.ts";

export const dayWorld: World = {
  wallets: [
    ...wallets,
    {
      name: "sg-wallet",
      participant: "sg-wallet.example",
      currencies: ["SGD"],
      accountPrefix: "+658",
      schema: "adapter_sg",
      portName: "sgAdapter",
      corePortName: "sgCore",
    },
  ],
  providers: [
    ...providers,
    {
      name: "sg-desk",
      participant: "sg-desk.example",
      currencies: ["HKD", "PHP", "SGD"],
      pairs: ["HKD/SGD", "SGD/HKD", "SGD/PHP", "PHP/SGD"],
      portName: "sgDesk",
    },
  ],
  bankAccounts: [
    ...bankAccounts,
    { owner: "sg-wallet.example", currency: "SGD", account: "SEALSG0004SGD" },
    { owner: "sg-desk.example", currency: "HKD", account: "SEALSD0005HKD" },
    { owner: "sg-desk.example", currency: "PHP", account: "SEALSD0005PHP" },
    { owner: "sg-desk.example", currency: "SGD", account: "SEALSD0005SGD" },
    { owner: operator, currency: "SGD", account: "SEALOP0000SGD" },
  ],
  corridors: [
    { corridor: "hkd-php", netting: "multilateral" },
    { corridor: "hkd-sgd", netting: "bilateral" },
    { corridor: "sgd-php", netting: "gross" },
  ],
  feeSchedules: [
    ...feeSchedules,
    { schedule: "hkd-sgd-1", corridor: "hkd-sgd", from: "HKD", to: "SGD" },
    { schedule: "sgd-hkd-1", corridor: "hkd-sgd", from: "SGD", to: "HKD" },
    { schedule: "sgd-php-1", corridor: "sgd-php", from: "SGD", to: "PHP" },
    { schedule: "php-sgd-1", corridor: "sgd-php", from: "PHP", to: "SGD" },
  ],
  liquidity: [
    { participant: "hk-wallet.example", currency: "HKD", amount: "50000000.00" },
    { participant: "ph-wallet.example", currency: "PHP", amount: "400000000.00" },
    { participant: "sg-wallet.example", currency: "SGD", amount: "10000000.00" },
    { participant: "fx-desk.example", currency: "HKD", amount: "50000000.00" },
    { participant: "fx-desk.example", currency: "PHP", amount: "400000000.00" },
    { participant: "sg-desk.example", currency: "HKD", amount: "50000000.00" },
    { participant: "sg-desk.example", currency: "PHP", amount: "400000000.00" },
    { participant: "sg-desk.example", currency: "SGD", amount: "10000000.00" },
  ],
  ports: [...portPlan, ...dayPortPlan],
};
