// A customer's app in small: log in, look at a kitchen's menu, ask for the price, place the order.
// All names and types come from the facade's own OpenAPI document.

import createClient from "openapi-fetch";
import type { components, paths } from "./api.js";

type Problem = components["schemas"]["Problem"];
type Order = components["schemas"]["OrderBody"];
type Dish = components["schemas"]["MenuItemOut"];

const [url, email, password, chefId] = process.argv.slice(2);
if (!url || !email || !password || !chefId) {
  throw new Error("order.js <address of the facade> <email> <password> <id of a chef>");
}

const api = createClient<paths>({ baseUrl: url });

function got<Answer>(answer: { data?: Answer; error?: Problem }): Answer {
  if (answer.data === undefined) {
    throw new Error(`${answer.error?.code}: ${answer.error?.detail}`);
  }
  return answer.data;
}

const login = got(await api.POST("/api/v1/auth/login", { body: { email, password } }));
api.use({
  onRequest({ request }) {
    request.headers.set("Authorization", `Bearer ${login.accessToken}`);
  },
});

const kitchen = { params: { path: { chef_id: chefId } } };
const chef = got(await api.GET("/api/v1/chefs/{chef_id}", kitchen));
const menus = got(await api.GET("/api/v1/chefs/{chef_id}/menu", kitchen));
const dish: Dish | undefined = menus.flatMap((menu) => menu.items).find((item) => item.isAvailable);
if (!dish) {
  throw new Error(`${chef.businessName} cooks nothing today`);
}

const order: Order = {
  chefId: chef.id,
  items: [{ menuItemId: dish.id, quantity: 2 }],
  deliveryAddress: {
    line1: "1 Test Street",
    city: "Testville",
    state: "TX",
    postalCode: "78701",
    latitude: chef.latitude,
    longitude: chef.longitude,
  },
};
const quote = got(await api.POST("/api/v1/orders/quote", { body: order }));
const placed = got(
  await api.POST("/api/v1/orders", {
    body: order,
    params: { header: { "Idempotency-Key": `basket-${chef.id}` } },
  }),
);
if (placed.totalCents !== quote.totalCents) {
  throw new Error("the order costs something else than its quote");
}

const refused = await api.GET("/api/v1/orders/{order_id}", {
  params: { path: { order_id: "00000000-0000-7000-8000-000000000000" } },
});
console.log(JSON.stringify({ placed, refused: refused.error?.code }));
