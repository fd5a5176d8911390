"""Settings, all from the environment (docs/operations.md lists them). Embedded by default, scaled out by URL."""

import os
from pathlib import Path

import fontpkg_geist
import fontpkg_jetbrains_mono
from kombu import Queue

from catalog.fonts import slim_folder
from catalog.languages.compiling import compiled
from catalog.stylesheet import stylesheet_folder
from config.environment import (
    database,
    flag,
    log_broker,
    mail_server,
    port,
    public_url,
    secret_key,
    var_folder,
    whole_number,
)
from delivery.supervision import queues

BASE_DIR = Path(__file__).resolve().parent.parent
VAR = var_folder(BASE_DIR)
PRODUCTION = flag("SIGNALBOX_PRODUCTION")
DEBUG = flag("SIGNALBOX_DEBUG")
# Whether `manage.py up` loads the demo into an empty Signalbox.
DEMO = flag("DEMO", default=not PRODUCTION)
SECRET_KEY = secret_key(VAR)

HOST = os.environ.get("SIGNALBOX_HOST", "127.0.0.1")
PORT = port()
# Where people find the console: for links in mail and in events.
PUBLIC_URL = public_url(HOST, PORT)
ALLOWED_HOSTS = [
    name for name in os.environ.get("SIGNALBOX_ALLOWED_HOSTS", "127.0.0.1,localhost,[::1]").split(",") if name
]
CSRF_TRUSTED_ORIGINS = [
    origin for origin in os.environ.get("SIGNALBOX_TRUSTED_ORIGINS", "").split(",") if origin
]

INSTALLED_APPS = [
    "catalog",
    "rules",
    "delivery",  # before staticfiles: its runserver serves ingest and the WebSocket too
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",
    "django.contrib.staticfiles",
    "channels",
    "rest_framework",
    "drf_spectacular",
    "django_htmx",
    "template_partials",
    "lucide",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "catalog.compression.CompressedFiles",
    "catalog.compression.CompressedPages",
    "catalog.access.ContentSecurityPolicy",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "catalog.languages.choosing.ConsoleLanguage",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "catalog.members.seen.Seen",
    "catalog.audit.acting.Acting",
    "catalog.access.DenyByDefault",
    "delivery.demo.views.WelcomeOnce",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "catalog.navigation.console",
            ],
        },
    },
]

DATABASES = {"default": database(VAR)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
# The first signs people in; the second gives them what their role allows.
AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend", "catalog.roles.RoleBackend"]
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "marketplace"
LOGOUT_REDIRECT_URL = "sign-in"

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("zh-hans", "简体中文")]
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True
# Compiled when a process starts and they are not there yet: a machine needs no GNU gettext.
LOCALE_PATHS = [compiled(BASE_DIR / "config" / "locale", VAR / "locale")]
FORMAT_MODULE_PATH = ["config.formats"]
LANGUAGE_COOKIE_NAME = "language"
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"

STATIC_URL = "/static/"
STATIC_ROOT = VAR / "static"
STATIC_ROOT.mkdir(exist_ok=True)  # whitenoise warns about a missing folder, also where it needs none
GEIST = Path(fontpkg_geist.__file__).parent / "files" / "Geist[wght].ttf"
JETBRAINS_MONO = Path(fontpkg_jetbrains_mono.__file__).parent / "files" / "JetBrainsMono[wght].ttf"
STATICFILES_DIRS = [
    BASE_DIR / "static",
    stylesheet_folder(BASE_DIR / "static" / "css", VAR),
    # Geist's features are its tabular figures; JetBrains Mono's are ligatures, which the console switches off.
    ("fonts/geist", slim_folder(GEIST, VAR, features=True)),
    ("fonts/jetbrains-mono", slim_folder(JETBRAINS_MONO, VAR, features=False)),
]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if PRODUCTION
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
# Without collectstatic (make up) whitenoise finds the files where packages and we keep them.
WHITENOISE_USE_FINDERS = not PRODUCTION
WHITENOISE_AUTOREFRESH = DEBUG

# EMAIL_BACKEND, EMAIL_HOST and so on, as Django names them.
globals().update(mail_server())

SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
# A pasted document of 2 MiB and the form it fills.
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 12 * 3600
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
if PRODUCTION:
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = True
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-session", "__Host-csrf"
    SECURE_SSL_REDIRECT = flag("SIGNALBOX_SSL_REDIRECT", True)
    SECURE_HSTS_SECONDS = 365 * 24 * 3600
    SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = True
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

REST_FRAMEWORK = {
    # The token first: what it asks for is what a 401 says.
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "catalog.api.access.BearerToken",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["catalog.api.access.Needs"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["catalog.api.asking.JsonText"],
    "EXCEPTION_HANDLER": "catalog.api.problem.answer",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Signalbox",
    "DESCRIPTION": "The control API: the catalog of event types, and trying rules. Publishing has an address of its own.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVERS": [{"url": "/", "description": "This Signalbox."}],
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SORT_OPERATION_PARAMETERS": False,
    "PREPROCESSING_HOOKS": ["catalog.api.describing.without_shut"],
    "POSTPROCESSING_HOOKS": ["catalog.api.describing.with_shapes"],
}

REDIS_URL = os.environ.get("REDIS_URL", "")
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [REDIS_URL]},
    }
    if REDIS_URL
    else {"BACKEND": "channels.layers.InMemoryChannelLayer"}
}

# Celery: every message is a doorbell, so none is stored longer than it is useful.
CELERY_BROKER_URL = os.environ.get("CELERY_BROKER_URL", "memory://localhost")
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, float] = {}
if CELERY_BROKER_URL.startswith("memory:"):
    CELERY_BROKER_TRANSPORT_OPTIONS = {"polling_interval": 0.025}
elif CELERY_BROKER_URL.startswith("redis"):
    # A Redis that hangs keeps whoever rings no longer than this (seconds).
    CELERY_BROKER_TRANSPORT_OPTIONS = {"socket_timeout": 10, "socket_connect_timeout": 5}
# A broker may be away for as long as it likes: workers work without it, and are there when it is back.
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_TASK_IGNORE_RESULT = True
# Tasks after which a thread connects to the database anew. Celery would do so before and after each, several times a second.
CELERY_DB_REUSE_MAX = 1000
CELERY_WORKER_POOL = "threads"  # shifts are asyncio loops; forked workers could not share a broker in memory
# A router stays on its thread as long as the worker lives.
CELERY_WORKER_CONCURRENCY = 5 if os.environ.get("SIGNALBOX_LOG_URL") else 4
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_ROUTES = {queues.task_of(name): {"queue": rung.queue} for name, rung in queues.DUTIES.items()}
CELERY_TASK_DEFAULT_QUEUE = "upkeep"
# Named here, a plain `celery -A config worker` consumes all. RabbitMQ forgets by itself what nobody takes.
CELERY_TASK_QUEUES = [Queue(name, message_ttl=120.0) for name in queues.QUEUES]
CELERY_TASK_CREATE_MISSING_QUEUES = False
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE_FILENAME = str(VAR / "beat-schedule")
CELERY_BEAT_SCHEDULE = queues.schedule()

# A broker of Kafka's protocol that takes events in before the database has them; None: the database does.
LOG_BROKER = log_broker()

# Seconds that sends under way may take to end once a worker is told to stop.
DRAIN = whole_number("SIGNALBOX_DRAIN", 3, 1, 600, "a number of seconds")
# An event that was being sent so many times in a row when its worker died is given up.
DEATHS = whole_number("SIGNALBOX_DEATHS", 3, 2, 100, "a number of times")

# What a target may connect to beyond public addresses. The embedded default is for one machine; production says none.
ALLOWED_TARGET_NETWORKS = [
    network
    for network in os.environ.get(
        "SIGNALBOX_TARGET_NETWORKS", "" if PRODUCTION else "127.0.0.0/8,::1/128"
    ).split(",")
    if network
]
# The proxy that deliveries go through; a target may name another. Without LOOKS_UP a proxy is given checked addresses.
TARGET_PROXY = os.environ.get("SIGNALBOX_TARGET_PROXY", "").strip()
TARGET_PROXY_LOOKS_UP = flag("SIGNALBOX_TARGET_PROXY_LOOKS_UP")
EVENT_BYTES_LIMIT = whole_number("SIGNALBOX_EVENT_BYTES", 1024 * 1024, 1024, 1024**3, "a number of bytes")
BATCH_LIMIT = whole_number("SIGNALBOX_BATCH", 1000, 1, 1_000_000, "a number of events")
# How long audit records are kept, in days.
AUDIT_DAYS = whole_number("SIGNALBOX_AUDIT_DAYS", 400, 1, 36_500, "a number of days")
# Whether anybody may read schemas under /schemas/, as whoever receives an event with a dataschema may have to.
PUBLIC_SCHEMAS = flag("SIGNALBOX_PUBLIC_SCHEMAS")

# Whether anybody may read /metrics: for a scraper that reaches Signalbox from inside the network only.
PUBLIC_METRICS = flag("SIGNALBOX_PUBLIC_METRICS")

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": os.environ.get("SIGNALBOX_LOG_LEVEL", "WARNING")},
}
