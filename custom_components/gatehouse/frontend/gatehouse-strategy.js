/**
 * The dashboard strategy of Gatehouse: who rang, who came in, doors to open, last photos,
 * and what needs attention.
 *
 * Home Assistant's frontend loads this file and asks the class at its end for the
 * configuration of a dashboard, and again when what it shows has changed. All cards are
 * Home Assistant's own. Nothing is built: this very file is served.
 *
 * Entities are found by their keys, which stay the same in every language and when
 * somebody renames an entity. What is disabled or hidden is left out.
 */

const DOMAIN = "gatehouse";

/** The most that is shown of what a system may have thousands of. */
const MOST = 24;

/** A lock with this bit among its features can release the latch. */
const LOCK_OPEN = 1;

/**
 * The state in which a binary sensor asks for attention, by device class.
 * @type {Record<string, string>}
 */
const TROUBLE = {
  battery: "on",
  connectivity: "off",
  problem: "on",
  safety: "on",
  tamper: "on",
};

/** The events whose history is shown. */
const HISTORY = [
  "event.doorbell",
  "event.access",
  "event.keypad",
  "event.dtmf",
  "event.alert",
];

/** Names that a card takes from its entity, and follows when they change. */
const OF_DEVICE = { type: "device" };
const OF_ENTITY = { type: "entity" };

/**
 * @typedef {object} Texts
 * @property {string} attention
 * @property {string} description
 * @property {string} doors
 * @property {string} elsewhere
 * @property {string} empty
 * @property {string} emptyButton
 * @property {string} emptyText
 * @property {string} health
 * @property {string} more - with {count}
 * @property {string} open
 * @property {string} openDoor - with {door}
 * @property {string} photos
 * @property {string} recent
 */

/** @type {Record<string, Texts>} */
const TEXTS = {
  en: {
    attention: "Needs attention",
    description:
      "Doors with open buttons, bells, last photos, recent calls and accesses, and health",
    doors: "Doors",
    elsewhere: "Elsewhere",
    empty: "No doors yet",
    emptyButton: "Open Gatehouse",
    emptyText:
      "Doors, bells and photos appear here as soon as Gatehouse knows of them.",
    health: "Health",
    more: "{count} more",
    open: "Open",
    openDoor: "Open {door}?",
    photos: "Last photos",
    recent: "Recent calls and accesses",
  },
  fr: {
    attention: "À vérifier",
    description:
      "Portes avec bouton d'ouverture, sonnettes, dernières photos, appels et accès récents, état des équipements",
    doors: "Portes",
    elsewhere: "Ailleurs",
    empty: "Pas encore de porte",
    emptyButton: "Ouvrir Gatehouse",
    emptyText:
      "Les portes, les sonnettes et les photos apparaissent ici dès que Gatehouse les connaît.",
    health: "État des équipements",
    more: "{count} de plus",
    open: "Ouvrir",
    openDoor: "Ouvrir « {door} » ?",
    photos: "Dernières photos",
    recent: "Appels et accès récents",
  },
  de: {
    attention: "Bitte prüfen",
    description:
      "Türen mit Taste zum Öffnen, Klingeln, letzte Fotos, letzte Anrufe und Zutritte, Zustand der Geräte",
    doors: "Türen",
    elsewhere: "Anderswo",
    empty: "Noch keine Türen",
    emptyButton: "Gatehouse öffnen",
    emptyText: "Türen, Klingeln und Fotos erscheinen hier, sobald Gatehouse sie kennt.",
    health: "Zustand der Geräte",
    more: "{count} weitere",
    open: "Öffnen",
    openDoor: "„{door}“ öffnen?",
    photos: "Letzte Fotos",
    recent: "Letzte Anrufe und Zutritte",
  },
  "pt-BR": {
    attention: "Requer atenção",
    description:
      "Portas com botão de abertura, campainhas, últimas fotos, chamadas e acessos recentes, estado dos equipamentos",
    doors: "Portas",
    elsewhere: "Outros locais",
    empty: "Nenhuma porta ainda",
    emptyButton: "Abrir o Gatehouse",
    emptyText:
      "Portas, campainhas e fotos aparecem aqui assim que o Gatehouse as conhece.",
    health: "Estado dos equipamentos",
    more: "Mais {count}",
    open: "Abrir",
    openDoor: "Abrir “{door}”?",
    photos: "Últimas fotos",
    recent: "Chamadas e acessos recentes",
  },
  ja: {
    attention: "要確認",
    description:
      "ドアを開けるボタン、ドアベル、最新の写真、最近の呼び出しと入退室、機器の状態",
    doors: "ドア",
    elsewhere: "その他の場所",
    empty: "ドアはまだありません",
    emptyButton: "Gatehouse を開く",
    emptyText: "Gatehouse が認識したドア、ドアベル、写真はここに表示されます。",
    health: "機器の状態",
    more: "ほか {count} 件",
    open: "開ける",
    openDoor: "「{door}」を開けますか？",
    photos: "最新の写真",
    recent: "最近の呼び出しと入退室",
  },
};

/**
 * Return the texts in a language, or else in English.
 * @param {string} language - such as `fr` or `pt-BR`
 * @returns {Texts}
 */
function textsIn(language) {
  const [primary] = language.split("-");
  const closest = Object.keys(TEXTS).find((key) => key.split("-")[0] === primary);
  return TEXTS[language] ?? TEXTS[closest ?? "en"];
}

/**
 * What the frontend knows of a Home Assistant, as far as it is used here.
 * @typedef {object} Hass
 * @property {Record<string, {name: string, icon?: string | null}>} areas
 * @property {{components: string[]}} config
 * @property {Record<string, DeviceEntry>} devices
 * @property {Record<string, EntityEntry>} entities
 * @property {{language: string}} locale
 * @property {Record<string, {attributes: Record<string, any>}>} states
 * @property {{is_admin: boolean}} [user]
 *
 * @typedef {object} DeviceEntry
 * @property {string} id
 * @property {string | null} area_id
 * @property {string | null} name
 * @property {string | null} name_by_user
 * @property {string | null} via_device_id
 *
 * @typedef {object} EntityEntry - not there if the entity is disabled
 * @property {string} entity_id
 * @property {string} [area_id]
 * @property {string} [device_id]
 * @property {string} [entity_category]
 * @property {boolean} [hidden]
 * @property {string} platform
 * @property {string} [translation_key]
 *
 * @typedef {object} StrategyConfig - what a user may write into the dashboard's configuration
 * @property {string[]} [areas] - ids; only devices of these areas are shown
 *
 * @typedef {{type: string, [option: string]: any}} Card
 * @typedef {{type: "grid", cards: Card[], [option: string]: any}} Section
 */

/** A device of Gatehouse, with those of its entities that are to be seen. */
class Device {
  #area;

  /** @param {DeviceEntry} entry */
  constructor(entry) {
    this.id = entry.id;
    this.name = entry.name_by_user || entry.name || entry.id;
    /** @type {Device | undefined} the device through which this one is reached */
    this.parent = undefined;
    /** @type {Map<string, EntityEntry>} by key, such as `lock.door` */
    this.entities = new Map();
    this.#area = entry.area_id;
  }

  /**
   * Return the id of the area that it is in; a door without one is where its station is.
   * @returns {string | undefined}
   */
  get area() {
    const main = ["lock.door", "event.doorbell", "event.access"]
      .map((key) => this.entities.get(key))
      .find((entity) => entity !== undefined);
    return main?.area_id ?? this.#area ?? this.parent?.area;
  }

  /** Tell whether it can be opened. */
  get isDoor() {
    return this.entities.has("lock.door") || this.entities.has("button.open");
  }

  /**
   * Return an entity's id, or undefined if there is no such entity.
   * @param {string} key
   */
  entity(key) {
    return this.entities.get(key)?.entity_id;
  }

  /**
   * Tell whether its parent tells the same, as an intercom's account does for its units.
   * @param {string} key
   */
  isEchoed(key) {
    return this.entities.has(key) && this.parent?.entities.has(key) === true;
  }
}

/**
 * Return the devices of Gatehouse that have something to show.
 * @param {Hass} hass
 * @returns {Device[]}
 */
function devicesOf(hass) {
  /** @type {Map<string, Device>} */
  const devices = new Map();
  for (const entity of Object.values(hass.entities)) {
    const entry = hass.devices[entity.device_id ?? ""];
    if (
      entity.platform !== DOMAIN ||
      entity.hidden ||
      entry === undefined ||
      // Enabled a moment ago, it has no state yet.
      !(entity.entity_id in hass.states)
    ) {
      continue;
    }
    const device = devices.get(entry.id) ?? new Device(entry);
    const [domain] = entity.entity_id.split(".");
    device.entities.set(`${domain}.${entity.translation_key}`, entity);
    devices.set(entry.id, device);
  }
  for (const device of devices.values()) {
    device.parent = devices.get(hass.devices[device.id].via_device_id ?? "");
  }
  return [...devices.values()].sort((one, other) =>
    one.name.localeCompare(other.name, hass.locale.language, { numeric: true }),
  );
}

/**
 * Return the items that pass a test, and the others.
 * @template T
 * @param {T[]} items
 * @param {(item: T, at: number) => boolean} test
 */
function divide(items, test) {
  return [items.filter(test), items.filter((item, at) => !test(item, at))];
}

/**
 * Return a tile, or undefined if there is no such entity.
 * @param {string | undefined} entity
 * @param {object} name
 * @param {object} [options]
 * @returns {Card | undefined}
 */
function tile(entity, name, options) {
  return entity === undefined ? undefined : { type: "tile", entity, name, ...options };
}

/**
 * Return a tile as wide as its section, or undefined if there is no such entity.
 * @param {string | undefined} entity
 * @param {object} name
 * @param {object} [options]
 */
function wideTile(entity, name, options) {
  return tile(entity, name, { grid_options: { columns: 12 }, ...options });
}

/**
 * Return a tile that presses a button wherever it is tapped, or undefined if there is none.
 * @param {string | undefined} button
 * @param {object} [options]
 * @param {object} [confirmation] - what the user is asked before
 */
function pressTile(button, options, confirmation) {
  const press = {
    action: "perform-action",
    perform_action: "button.press",
    target: { entity_id: button },
    confirmation,
  };
  return tile(button, OF_ENTITY, {
    hide_state: true,
    tap_action: press,
    icon_tap_action: press,
    ...options,
  });
}

/**
 * Return a block: a heading and the cards under it. Without any cards it is empty.
 * @param {string} heading
 * @param {string} icon
 * @param {(Card | undefined)[]} cards
 * @param {object[]} [conditions] - one of them must hold for the heading to be seen
 * @returns {Card[]}
 */
function block(heading, icon, cards, conditions) {
  const present = cards.filter((card) => card !== undefined);
  const visibility = conditions && [{ condition: "or", conditions }];
  return present.length === 0
    ? []
    : [{ type: "heading", heading, icon, visibility }, ...present];
}

/**
 * Return the cards of a door: its lock, what opens it, and who came last.
 * @param {Hass} hass
 * @param {Texts} texts
 * @param {Device} door
 */
function doorCards(hass, texts, door) {
  return [...openingCards(hass, texts, door), accessCard(door, OF_ENTITY)];
}

/**
 * Return a door's lock and its button that opens it, or the lock with buttons of its own.
 * @param {Hass} hass
 * @param {Texts} texts
 * @param {Device} door
 */
function openingCards(hass, texts, door) {
  const lock = door.entity("lock.door");
  const open = door.entity("button.open");
  if (lock !== undefined && open === undefined) {
    const canOpen = hass.states[lock].attributes.supported_features & LOCK_OPEN;
    return [
      wideTile(lock, OF_DEVICE, {
        features: [{ type: canOpen ? "lock-open-door" : "lock-commands" }],
        features_position: "inline",
      }),
    ];
  }
  // A finger that only meant to scroll must not open a door.
  const confirmation = {
    text: texts.openDoor.replace("{door}", () => door.name),
    confirm_text: texts.open,
  };
  const name = lock === undefined ? OF_DEVICE : OF_ENTITY;
  return [
    tile(lock, OF_DEVICE),
    pressTile(open, { name, color: "primary" }, confirmation),
  ];
}

/**
 * Return the card that tells who was let in last, or was not.
 * @param {Device} device
 * @param {object} name
 */
function accessCard(device, name) {
  return wideTile(device.entity("event.access"), name, {
    state_content: ["event_type", "person", "reason", "state"],
  });
}

/**
 * Return the cards of a bell: who rang last, what to do about a call while there is one,
 * and the rest of a door station.
 * @param {Device} bell
 */
function bellCards(bell) {
  const call = bell.entity("binary_sensor.call");
  const visibility = call && [{ condition: "state", entity: call, state: "on" }];
  const display = bell.entity("notify.display");
  return [
    wideTile(bell.entity("event.doorbell"), OF_DEVICE, {
      state_content: ["event_type", "unit", "state", "caller"],
    }),
    wideTile(call, OF_ENTITY, { visibility }),
    pressTile(bell.entity("button.answer"), { color: "green", visibility }),
    pressTile(bell.entity("button.hang_up"), { color: "red", visibility }),
    wideTile(bell.entity("event.keypad"), OF_ENTITY, {
      state_content: ["code_name", "state"],
    }),
    wideTile(bell.entity("event.dtmf"), OF_ENTITY, {
      state_content: ["command", "unit", "state"],
    }),
    wideTile(bell.entity("media_player.speaker"), OF_ENTITY, {
      features: [{ type: "media-player-playback" }],
      features_position: "inline",
    }),
    // Its state is when it was last written on.
    tile(display, OF_ENTITY, {
      visibility: [{ condition: "state", entity: display, state_not: "unknown" }],
    }),
    pressTile(bell.entity("button.clear_display")),
  ];
}

/**
 * Return the cards of bells whose calls another one tells, too: small ones, and not all if
 * there are very many.
 * @param {Hass} hass
 * @param {Texts} texts
 * @param {Device[]} bells
 */
function unitCards(hass, texts, bells) {
  const cards = bells
    .slice(0, MOST)
    .map((bell) => tile(bell.entity("event.doorbell"), OF_DEVICE));
  if (bells.length > MOST) {
    const count = (bells.length - MOST).toLocaleString(hass.locale.language);
    cards.push({
      type: "heading",
      heading_style: "subtitle",
      heading: texts.more.replace("{count}", count),
      tap_action: {
        action: "navigate",
        navigation_path: `/config/devices/dashboard?domain=${DOMAIN}`,
      },
    });
  }
  return cards;
}

/**
 * Return a block for each area, first those where there is a door to open, and a last one
 * for what is in no area.
 * @param {Hass} hass
 * @param {Texts} texts
 * @param {Device[]} devices
 */
function areaBlocks(hass, texts, devices) {
  const areas = Object.entries(hass.areas)
    .map(([id, { name, icon }]) => {
      const here = devices.filter((device) => device.area === id);
      return { name, icon: icon || "mdi:door", here };
    })
    .filter(({ here }) => here.length > 0);
  const [withDoors, others] = divide(areas, ({ here }) => here.some((it) => it.isDoor));
  const rest = {
    name: areas.length === 0 ? texts.doors : texts.elsewhere,
    icon: "mdi:door",
    here: devices.filter((device) => device.area === undefined),
  };
  return [...withDoors, ...others, rest].map(({ name, icon, here }) =>
    block(name, icon, placeCards(hass, texts, here)),
  );
}

/**
 * Return the cards of what is in one place: doors, bells and terminals.
 * @param {Hass} hass
 * @param {Texts} texts
 * @param {Device[]} devices
 */
function placeCards(hass, texts, devices) {
  const [doors, others] = divide(devices, (device) => device.isDoor);
  const [units, bells] = divide(devices, (device) => device.isEchoed("event.doorbell"));
  return [
    ...doors.flatMap((door) => doorCards(hass, texts, door)),
    ...bells.flatMap((bell) => bellCards(bell)),
    ...others.map((terminal) => accessCard(terminal, OF_DEVICE)),
    ...unitCards(hass, texts, units),
  ];
}

/**
 * Return the block of the last photos, which is seen as soon as there is one.
 * @param {Texts} texts
 * @param {Device[]} devices
 */
function photoBlock(texts, devices) {
  const photos = devices
    .flatMap((device) => device.entity("image.last_photo") ?? [])
    .slice(0, MOST)
    .map((entity) => ({
      entity,
      isThere: { condition: "state", entity, state_not: ["unavailable", "unknown"] },
    }));
  return block(
    texts.photos,
    "mdi:camera-account",
    photos.map(({ entity, isThere }) => ({
      type: "picture-entity",
      entity,
      name: OF_DEVICE,
      show_state: false,
      aspect_ratio: "1",
      grid_options: { columns: 6 },
      visibility: [isThere],
    })),
    photos.map(({ isThere }) => isThere),
  );
}

/**
 * Return the block of what has happened lately.
 * @param {Hass} hass
 * @param {Texts} texts
 * @param {Device[]} devices
 */
function historyBlock(hass, texts, devices) {
  if (!hass.config.components.includes("logbook")) {
    return [];
  }
  const entities = devices.flatMap((device) => {
    const told = HISTORY.filter((key) => !device.isEchoed(key));
    // A lock that does not say who came says at least when it was opened.
    const keys = device.entities.has("event.access") ? told : [...told, "lock.door"];
    return keys.flatMap((key) => device.entity(key) ?? []);
  });
  const logbook = {
    type: "logbook",
    target: { entity_id: entities },
    hours_to_show: 24,
    grid_options: { columns: 12, rows: 10 },
  };
  return block(texts.recent, "mdi:history", entities.length === 0 ? [] : [logbook]);
}

/**
 * Return the block of what everything hangs on: connections and batteries.
 * @param {Texts} texts
 * @param {Device[]} devices
 */
function healthBlock(texts, devices) {
  /** @param {string} key */
  const having = (key) => devices.filter((device) => device.entities.has(key));
  const connected = having("binary_sensor.connection");
  return block(texts.health, "mdi:heart-pulse", [
    ...connected.flatMap((device) => [
      tile(device.entity("binary_sensor.connection"), OF_DEVICE, { color: "green" }),
      tile(device.entity("sensor.last_contact"), OF_ENTITY),
      tile(device.entity("sensor.devices_online"), OF_ENTITY),
    ]),
    ...having("sensor.last_contact")
      .filter((device) => !connected.includes(device))
      .map((device) => tile(device.entity("sensor.last_contact"), OF_DEVICE)),
    ...having("sensor.battery")
      .slice(0, MOST)
      .map((device) => tile(device.entity("sensor.battery"), OF_DEVICE)),
  ]);
}

/**
 * Return the block of what is wrong, which is seen only while something is.
 * @param {Hass} hass
 * @param {Texts} texts
 * @param {Device[]} devices
 */
function attentionBlock(hass, texts, devices) {
  const watched = devices
    .flatMap((device) => [...device.entities])
    .map(([key, { entity_id, entity_category }]) => {
      const kind = hass.states[entity_id].attributes.device_class;
      return { key, entity_id, kind, isMain: entity_category === undefined };
    })
    .filter(({ key, kind }) => key.startsWith("binary_sensor.") && kind in TROUBLE);
  // Devices that are there only to be watched, such as telephones: of a whole fleet of
  // them it is enough to see how many are on line.
  const fleet = watched.filter(({ kind, isMain }) => isMain && kind === "connectivity");
  const troubles = watched
    .filter((sensor) => fleet.length <= MOST || !fleet.includes(sensor))
    .map(({ key, entity_id: entity, kind }) => {
      // While a system cannot be set up, its connection is not even off.
      const state =
        key === "binary_sensor.connection" ? ["off", "unavailable"] : TROUBLE[kind];
      return { condition: "state", entity, state };
    });
  const list = {
    type: "entity-filter",
    entities: troubles.map((trouble) => ({
      entity: trouble.entity,
      conditions: [trouble],
    })),
    show_empty: false,
    card: { type: "entities" },
    grid_options: { columns: "full" },
  };
  return block(
    texts.attention,
    "mdi:alert",
    troubles.length === 0 ? [] : [list],
    troubles,
  );
}

/**
 * Divide blocks among at most two sections of about the same height, in their order: side
 * by side where there is room, and one under the other on a telephone.
 * @param {Card[][]} blocks
 * @returns {Section[]}
 */
function sectionsOf(blocks) {
  const present = blocks.filter((cards) => cards.length > 0);
  const heights = present.map((cards) => sum(cards.map(heightOf)));
  // A block stands on the side on which most of it is.
  const [left, right] = divide(
    present,
    (_, at) => 2 * sum(heights.slice(0, at)) + heights[at] <= sum(heights),
  );
  return [left, right]
    .filter((column) => column.length > 0)
    .map(([first, ...others]) => ({
      type: "grid",
      cards: [...first, ...others.flatMap(setApart)],
    }));
}

/**
 * Return a block with more space above its heading.
 * @param {Card[]} block
 */
function setApart([heading, ...cards]) {
  return [{ ...heading, grid_options: { rows: 1 } }, ...cards];
}

/** @param {number[]} numbers */
function sum(numbers) {
  return numbers.reduce((total, number) => total + number, 0);
}

/**
 * Return about how high a card is, in halves of a row.
 * @param {Card} card
 * @returns {number}
 */
function heightOf(card) {
  if (card.type === "picture-entity") {
    return 2.5;
  }
  if (card.visibility !== undefined) {
    // Not there most of the time.
    return 0;
  }
  return card.type === "heading" || card.grid_options?.columns === 12 ? 2 : 1;
}

/**
 * Return the view that says that there is nothing yet, and where to go.
 * @param {Hass} hass
 * @param {Texts} texts
 */
function emptyView(hass, texts) {
  const button = {
    text: texts.emptyButton,
    tap_action: {
      action: "navigate",
      navigation_path: `/config/integrations/integration/${DOMAIN}`,
    },
  };
  return {
    type: "panel",
    cards: [
      {
        type: "empty-state",
        icon: "mdi:gate",
        title: texts.empty,
        content: texts.emptyText,
        content_only: true,
        buttons: hass.user?.is_admin ? [button] : [],
      },
    ],
  };
}

/**
 * Return the configuration of the dashboard.
 * @param {StrategyConfig} config
 * @param {Hass} hass
 */
function dashboard(config, hass) {
  const texts = textsIn(hass.locale.language);
  const devices = devicesOf(hass).filter(
    ({ area }) => config.areas === undefined || config.areas.includes(area ?? ""),
  );
  const columns = sectionsOf([
    ...areaBlocks(hass, texts, devices),
    photoBlock(texts, devices),
    healthBlock(texts, devices),
  ]);
  if (columns.length === 0) {
    return { views: [emptyView(hass, texts)] };
  }
  const [attention] = sectionsOf([attentionBlock(hass, texts, devices)]);
  const history = sectionsOf([historyBlock(hass, texts, devices)]);
  const sections = [
    ...(attention ? [{ ...attention, column_span: columns.length }] : []),
    ...columns,
  ];
  // Beside the sections, and below them on a telephone.
  const sidebar = history.length === 0 ? undefined : { sections: history };
  return { views: [{ type: "sections", max_columns: 3, sections, sidebar }] };
}

/** What the frontend asks for the dashboard; it never becomes an element of a page. */
class GatehouseDashboardStrategy extends HTMLElement {
  /**
   * Return the configuration of the dashboard.
   * @param {StrategyConfig} config
   * @param {Hass} hass
   */
  static async generate(config, hass) {
    return dashboard(config, hass);
  }

  /**
   * Tell whether the dashboard would now be another one. States change all the time and
   * its cards follow them by themselves; it is not built anew, which would be seen.
   * @param {StrategyConfig} config
   * @param {Hass} before
   * @param {Hass} now
   */
  static shouldRegenerate(config, before, now) {
    const mayDiffer =
      before.areas !== now.areas ||
      before.devices !== now.devices ||
      before.entities !== now.entities ||
      before.locale.language !== now.locale.language ||
      Object.keys(before.states).length !== Object.keys(now.states).length;
    return (
      mayDiffer &&
      JSON.stringify(dashboard(config, before)) !==
        JSON.stringify(dashboard(config, now))
    );
  }

  /** Return what the dialog for a new dashboard is filled in with. */
  static getCreateSuggestions() {
    return { title: "Gatehouse", icon: "mdi:gate" };
  }
}

// A page that stays open over a restart may load a newer file beside this one.
if (!customElements.get(`ll-strategy-dashboard-${DOMAIN}`)) {
  customElements.define(`ll-strategy-dashboard-${DOMAIN}`, GatehouseDashboardStrategy);
  /** @type {any} */
  const page = window;
  page.customStrategies ??= [];
  page.customStrategies.push({
    type: DOMAIN,
    strategyType: "dashboard",
    name: "Gatehouse",
    // Read when the dialog opens; only then does the page have the user's language.
    get description() {
      return textsIn(document.documentElement.lang).description;
    },
    documentationURL:
      "https://github.com/gatehouse-ha/gatehouse/blob/main/docs/dashboard.md",
  });
}
