// What an application does with a client whose types were made from the API's description: an
// administrator lets two people in, and one of them pays the other.
//
// Nothing is cast: where the description says less than the server answers, this does not compile.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import createClient, { type Client } from "openapi-fetch";
import type { components, paths } from "./schema.js";

type Problem = components["schemas"]["Problem"];

/** What came back: the answer, or the problem that the server reports. */
interface Answer<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

const PASSWORD = "Blue7horse";
const ADMIN_PASSWORD = "Blue7horse-cart";

function setting(name: string): string {
  const value = process.env[name];
  assert(value !== undefined, `${name} is not set`);
  return value;
}

const baseUrl = setting("GX_URL");

/** A client of the platform, of nobody or of whoever has the token. */
function clientOf(token?: string): Client<paths> {
  const headers = token === undefined ? {} : { Authorization: `Bearer ${token}` };
  return createClient<paths>({ baseUrl, headers });
}

function good<T>(answer: Answer<T>): T {
  const { data, error, response } = answer;
  assert(data !== undefined, `${response.url}: ${response.status} ${JSON.stringify(error)}`);
  return data;
}

const once = () => ({ "Idempotency-Key": randomUUID() });
const settled = () => ({ ...once(), Prefer: "wait=20" });

/** The administrator, whose one-time password is replaced. */
async function administrator(): Promise<Client<paths>> {
  const password = setting("GX_ONE_TIME_PASSWORD");
  const body = { username: "superowner", password };
  const session = good(await clientOf().POST("/api/v1/admin/auth/login", { body }));
  assert("accessToken" in session, "a second factor is asked for");
  const admin = clientOf(session.accessToken);
  const change = { currentPassword: password, newPassword: ADMIN_PASSWORD };
  good(await admin.POST("/api/v1/admin/auth/password/change", { body: change }));
  return admin;
}

interface Person {
  userId: string;
  client: Client<paths>;
}

async function register(firstName: string): Promise<Person> {
  const email = `${firstName}@example.org`;
  const body = {
    email,
    password: PASSWORD,
    firstName,
    lastName: "Example",
    countryCode: "DE",
    dateOfBirth: "1990-06-15",
  };
  const { userId } = good(await clientOf().POST("/api/v1/auth/register", { body }));
  const login = { email, password: PASSWORD };
  const session = good(await clientOf().POST("/api/v1/auth/login", { body: login }));
  assert("accessToken" in session, "a second factor is asked for");
  return { userId, client: clientOf(session.accessToken) };
}

/** Lets people in; says who each of them is on the ledger. */
async function admit(admin: Client<paths>, people: Person[]): Promise<string[]> {
  const ledgerIds: string[] = [];
  for (const { userId } of people) {
    const path = { id: userId };
    const approved = good(
      await admin.POST("/api/v1/admin/users/{id}/approve", { params: { path }, body: {} }),
    );
    assert(typeof approved.ledgerId === "string");
    ledgerIds.push(approved.ledgerId);
  }
  const opened = good(
    await admin.POST("/api/v1/admin/users/batch-register-onchain", {
      params: { header: once() },
      body: { userIds: people.map((person) => person.userId) },
    }),
  );
  for (const { commandId } of opened.commands) {
    // This read waits until the command is settled.
    const query = { after: commandId };
    good(await admin.GET("/api/v1/ledger/info", { params: { query } }));
  }
  return ledgerIds;
}

async function balance(of: Person, userId: string): Promise<string> {
  const params = { path: { userId } };
  return good(await of.client.GET("/api/v1/wallets/{userId}/balance", { params })).balance;
}

const admin = await administrator();
const ada = await register("ada");
const bob = await register("bob");
const [adaId, bobId] = await admit(admin, [ada, bob]);
assert(adaId !== undefined && bobId !== undefined);
assert.equal(await balance(bob, bobId), "500.00");

const payment = { toUserId: bobId, amount: "12.50", remark: "Two coffees" };
const paid = good(
  await ada.client.POST("/api/v1/transfers", { params: { header: settled() }, body: payment }),
);
assert.equal(paid.status, "committed");
assert.equal(await balance(bob, bobId), "512.50");
const history = good(
  await bob.client.GET("/api/v1/wallets/{userId}/transactions", {
    params: { path: { userId: bobId }, query: { type: "RECEIVED", limit: 1 } },
  }),
);
assert(typeof history !== "string", "a table is what was not asked for");
assert.equal(history.data[0]?.amount, "12.50");

// What is refused has a code of a list that the types know.
const refused = await ada.client.POST("/api/v1/transfers", {
  params: { header: settled() },
  body: { toUserId: adaId, amount: "1.00" },
});
assert.equal(refused.response.status, 400);
const problem: Problem | undefined = refused.error;
assert.equal(problem?.code, "same_account");

console.log(JSON.stringify({ commandId: paid.commandId }));
