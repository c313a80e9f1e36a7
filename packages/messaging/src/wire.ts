// Records and requests in the shapes that kafkajs's protocol layer takes and gives.

/** One record as kafkajs encodes it. */
export type WireMessage = {
  readonly key: string | null;
  readonly value: Buffer | string;
  readonly headers?: Readonly<Record<string, string>>;
};

/** One record as kafkajs decodes it. */
export type WireRecord = {
  readonly offset: string;
  readonly timestamp: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, Buffer | Buffer[] | null>>;
  readonly isControlRecord: boolean;
};

export type TopicPartitions<P> = { readonly topic: string; readonly partitions: readonly P[] };

export type ProduceRequest = {
  readonly acks: number;
  /** Of kafkajs's own producer, when it is idempotent. */
  readonly producerId?: string | number;
  readonly timeout: number;
  readonly topicData: readonly TopicPartitions<{
    partition: number;
    messages: readonly WireMessage[];
  }>[];
};
