// What other rooms' tests use of this one.
export { idempotentProducer, type SendingProducer } from "./idempotent-producer.ts";
