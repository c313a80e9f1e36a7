// Who may do what with which topic. The broker denies whatever no rule allows; rules are only ever added
// here: what is there besides is shown, so that somebody can take it away.
import kafkajs from "kafkajs";

const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } = kafkajs;

export type AccessRule = {
  /** A login's name. */
  readonly principal: string;
  readonly topic: string;
  /** Each allows to see that the topic exists, too. */
  readonly operation: "read" | "write";
};

type Client = ReturnType<kafkajs.Kafka["admin"]>;

const operations = { read: AclOperationTypes.READ, write: AclOperationTypes.WRITE } as const;
const keyOf = (principal: string, topic: string, operation: number): string =>
  `${principal} ${topic} ${operation}`;

/** All rules about topics, as `User:name topic operation`. */
const readRules = async (client: Client): Promise<Set<string>> => {
  const { resources } = await client.describeAcls({
    resourceType: AclResourceTypes.TOPIC,
    resourcePatternType: ResourcePatternTypes.ANY,
    operation: AclOperationTypes.ANY,
    permissionType: AclPermissionTypes.ANY,
  });
  return new Set(
    resources.flatMap(({ resourceName, acls }) =>
      acls.map(({ principal, operation }) => keyOf(principal, resourceName, operation)),
    ),
  );
};

/** Adds the rules that are missing. @returns rules about topics that are there besides these */
export const ensureAccess = async (
  client: Client,
  rules: readonly AccessRule[],
): Promise<string[]> => {
  const before = await readRules(client);
  const wanted = rules.map(({ principal, topic, operation }) => ({
    principal: `User:${principal}`,
    topic,
    operation: operations[operation],
  }));
  const missing = wanted.filter(
    ({ principal, topic, operation }) => !before.has(keyOf(principal, topic, operation)),
  );
  if (missing.length > 0) {
    await client.createAcls({
      acl: missing.map(({ principal, topic, operation }) => ({
        resourceType: AclResourceTypes.TOPIC,
        resourceName: topic,
        resourcePatternType: ResourcePatternTypes.LITERAL,
        principal,
        host: "*",
        operation,
        permissionType: AclPermissionTypes.ALLOW,
      })),
    });
  }
  for (const { principal, topic, operation } of wanted)
    before.delete(keyOf(principal, topic, operation));
  return [...before];
};
