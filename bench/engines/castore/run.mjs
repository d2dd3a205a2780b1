// castore (npm): an event store of accounts and one of payments, in one table; a payment is three
// events, pushed as a group in one transaction. What an account has is folded from all its events.
// Speaks as contest.py does.
import { readFileSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { createInterface } from 'node:readline';
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EventStore, EventType } from '@castore/core';
import { DynamoDBSingleTableEventStorageAdapter } from '@castore/event-storage-adapter-dynamodb';

const workload = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const least = -workload.overdraft_minor;
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const say = (line) => process.stdout.write(`${line}\n`);

const dynamoDBClient = new DynamoDBClient({});
const tableName = `castore-${randomUUID()}`;
await dynamoDBClient.send(
  new CreateTableCommand({
    TableName: tableName,
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: [
      { AttributeName: 'aggregateId', AttributeType: 'S' },
      { AttributeName: 'version', AttributeType: 'N' },
      { AttributeName: 'eventStoreId', AttributeType: 'S' },
      { AttributeName: 'timestamp', AttributeType: 'S' },
    ],
    KeySchema: [
      { AttributeName: 'aggregateId', KeyType: 'HASH' },
      { AttributeName: 'version', KeyType: 'RANGE' },
    ],
    GlobalSecondaryIndexes: [
      {
        IndexName: 'initialEvents', // as the adapter's own documentation asks for
        KeySchema: [
          { AttributeName: 'eventStoreId', KeyType: 'HASH' },
          { AttributeName: 'timestamp', KeyType: 'RANGE' },
        ],
        Projection: { ProjectionType: 'KEYS_ONLY' },
      },
    ],
  }),
);
const eventStorageAdapter = new DynamoDBSingleTableEventStorageAdapter({ tableName, dynamoDBClient });
const types = (...names) => names.map((type) => new EventType({ type }));
const changes = { OPENED: () => 0, DEBITED: (minor) => -minor, CREDITED: (minor) => minor };
const accounts = new EventStore({
  eventStoreId: 'ACCOUNTS',
  eventTypes: types('OPENED', 'DEBITED', 'CREDITED'),
  reducer: (account, { aggregateId, version, type, payload }) => ({
    aggregateId,
    version,
    balanceMinor: (account?.balanceMinor ?? 0) + changes[type](payload.amountMinor),
  }),
  eventStorageAdapter,
});
const payments = new EventStore({
  eventStoreId: 'PAYMENTS',
  eventTypes: types('POSTED'),
  reducer: (_, { aggregateId, version, payload }) => ({ aggregateId, version, ...payload }),
  eventStorageAdapter,
});

const entry = (account, type, payment) => {
  account.version += 1;
  account.balanceMinor += changes[type](payment.amount_minor);
  if (account.balanceMinor < least) throw new Error('overdrawn');
  const { aggregateId, version } = account;
  const payload = { amountMinor: payment.amount_minor, payment: payment.id };
  return accounts.groupEvent({ aggregateId, version, type, payload });
};

const post = async (group) => {
  const ids = group.flatMap(({ source, destination }) => [source, destination]);
  const read = await Promise.all(ids.map((id) => accounts.getExistingAggregate(id)));
  const known = new Map(read.map(({ aggregate }) => [aggregate.aggregateId, { ...aggregate }]));
  const events = group.flatMap((payment) => [
    payments.groupEvent({
      aggregateId: payment.id,
      version: 1,
      type: 'POSTED',
      payload: {
        source: payment.source,
        destination: payment.destination,
        amountMinor: payment.amount_minor,
      },
    }),
    entry(known.get(payment.source), 'DEBITED', payment),
    entry(known.get(payment.destination), 'CREDITED', payment),
  ]);
  await EventStore.pushEventGroup(...events);
};

for (const id of workload.accounts) {
  await accounts.pushEvent({ aggregateId: id, version: 1, type: 'OPENED', payload: {} });
}
for (const group of workload.warm_up) await post(group);
say('ready');
await lines.next();
const began = process.hrtime.bigint();
const computed = process.cpuUsage();
for (const group of workload.timed) await post(group);
const { user, system } = process.cpuUsage(computed);
const seconds = Number(process.hrtime.bigint() - began) / 1e9;
say(JSON.stringify({ seconds, cpu_seconds: (user + system) / 1e6 }));
await lines.next();
const balances = {};
for (const id of workload.accounts) {
  balances[id] = (await accounts.getExistingAggregate(id)).aggregate.balanceMinor;
}
say(JSON.stringify(balances));
process.exit(0);
