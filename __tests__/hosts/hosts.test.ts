/** The frameworks that take Express middleware: each logs in, reads back and logs out over real HTTP. */
import { type App, HOSTS } from './apps.js';

jest.setTimeout(60_000);

describe.each(HOSTS)('%s', (_, start) => {
  let app: App;
  beforeAll(async () => {
    app = await start();
  });
  afterAll(() => app.close());

  const visit = (method: string, path: string, cookie = '') =>
    fetch(app.url + path, { method, headers: { cookie }, redirect: 'manual' });

  test('a visitor who only looks gets no cookie, and nothing is stored', async () => {
    const response = await visit('GET', '/me');

    expect(await response.text()).toBe('nobody');
    expect(response.headers.getSetCookie()).toEqual([]);
    expect(await app.users()).toEqual([]);
  });

  test('login is stored before its redirect leaves, reads back, and is gone after logout', async () => {
    const login = await visit('POST', '/login');
    const storedByThen = await app.users();
    const [cookie = '', ...others] = login.headers.getSetCookie();

    expect(storedByThen).toEqual(['ada']);
    expect([login.status, login.headers.get('location')]).toEqual([302, '/me']);
    expect(cookie).toMatch(/^connect\.sid=s%3A[\w-]{32}\.[\w%]+; Path=\/; HttpOnly; SameSite=Lax$/);
    expect(others).toEqual([]);

    const me = await visit('GET', '/me', cookie.split(';')[0]);
    expect(await me.text()).toBe('ada');

    const logout = await visit('POST', '/logout', cookie.split(';')[0]);
    expect(await logout.text()).toBe('bye');
    expect(logout.headers.getSetCookie()).toEqual([
      'connect.sid=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; SameSite=Lax',
    ]);
    expect(await app.users()).toEqual([]);

    const again = await visit('GET', '/me', cookie.split(';')[0]);
    expect(await again.text()).toBe('nobody');
  });
});
