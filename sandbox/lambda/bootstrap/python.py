# The Runtime API client of Python functions: takes events over one connection
# that is kept open, runs the handler as Lambda does, and sends back what came of
# it. A socket rather than http.client, which takes longer to import than Python
# itself takes to start.
import importlib
import importlib.machinery
import io
import json
import logging
import os
import site
import socket
import sys
import time
import traceback

ROOT = os.environ["LAMBDA_TASK_ROOT"]
RUNTIME = "/2018-06-01/runtime/"


def lead_aws():
    """Code that knows no AWS_ENDPOINT_URL calls AWS by name: the local cloud
    answers for it, but for the services that are let through."""
    hosts = os.environ.pop("ARC_HOSTS", None)
    if not hosts:
        return
    port, _, through = hosts.partition(" ")
    services = [s for s in through.split(",") if s]
    find = socket.getaddrinfo

    def getaddrinfo(host, *more, **options):
        name = host.decode() if isinstance(host, bytes) else host
        if isinstance(name, str) and name.lower().endswith((".amazonaws.com", ".amazonaws.com.cn", ".api.aws")):
            parts = name.lower().split(".")
            if not any(p == s or p.startswith(s + "-") for p in parts for s in services):
                options.pop("port", None)
                return find("127.0.0.1", int(port), *more[1:], **options)
        return find(host, *more, **options)

    socket.getaddrinfo = getaddrinfo


def lead_opt():
    """Code that starts a program of a layer by its name below /opt starts that of
    the layer also where layers are not mounted there, and scripts of Lambda's own
    Python (#!/var/lang/bin/python) by this one."""
    opt = os.environ.pop("ARC_OPT", None)
    if not opt:
        return
    import subprocess

    start = subprocess.Popen.__init__

    def popen(self, args, *more, **options):
        if isinstance(args, (list, tuple)) and args and str(args[0]).startswith("/opt/"):
            program = str(args[0])
            if not os.path.exists(program):
                program = os.path.join(opt, program[len("/opt/"):])
            args = [program, *args[1:]]
            try:
                with open(program, "rb") as script:
                    if script.readline(64).startswith(b"#!/var/lang/bin/python"):
                        args.insert(0, sys.executable)
            except OSError:
                pass  # starting it says so
        start(self, args, *more, **options)

    subprocess.Popen.__init__ = popen


class Runtime:
    """What Lambda's runtime has beside the zip, looked for last, and nothing else
    of where this machine has it: the interpreter was told to leave its own
    packages out (-S)."""

    def __init__(self, folder, modules):
        self.folders, self.modules = [folder], modules

    def find_spec(self, name, path=None, target=None):
        if path is None and name in self.modules:
            return importlib.machinery.PathFinder.find_spec(name, self.folders, target)


class Debugger:
    """debugpy and what it is made of, which may come as packages of their own."""

    def __init__(self, folder):
        self.folders = [folder]

    def find_spec(self, name, path=None, target=None):
        if path is None and name.startswith(("debugpy", "pydev", "_pydev", "bytecode")):
            return importlib.machinery.PathFinder.find_spec(name, self.folders, target)


def wait_for_debugger():
    """A debugger may attach from here on; nobody waits for it."""
    port, _, folder = os.environ.pop("ARC_DEBUG", "").partition(" ")
    if port:
        sys.meta_path.append(Debugger(folder))
        importlib.import_module("debugpy").listen(("127.0.0.1", int(port)))


class Connection:
    def __init__(self, address):
        host, port = address.split(":")
        self.address = address
        self.socket = socket.create_connection((host, int(port)))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.reader = self.socket.makefile("rb")

    def exchange(self, method, path, body=b"", error_type=""):
        head = f"{method} {RUNTIME}{path} HTTP/1.1\r\nHost: {self.address}\r\nContent-Length: {len(body)}\r\n"
        if error_type:
            head += f"Lambda-Runtime-Function-Error-Type: {error_type}\r\n"
        self.socket.sendall(head.encode() + b"\r\n" + body)
        status = self.reader.readline().split()
        if not status:
            os._exit(1)  # without its Runtime API a worker has nothing to live for
        headers = {}
        line = self.reader.readline().strip()
        while line:
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
            line = self.reader.readline().strip()
        return headers, self.reader.read(int(headers.get("content-length", 0)))

    def fail(self, path, error):
        kind, report = describe(error)
        if path != "init/error":  # the service tells what cannot be loaded
            print(f"[ERROR] {kind}: {error}\n" + "".join(report["stackTrace"]), end="", flush=True)
        self.exchange("POST", path, json.dumps(report).encode(), kind)


class Context:
    client_context = None
    identity = None

    def __init__(self, headers):
        self.aws_request_id = headers["lambda-runtime-aws-request-id"]
        self.invoked_function_arn = headers["lambda-runtime-invoked-function-arn"]
        self.function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = os.environ["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]
        self._deadline = int(headers["lambda-runtime-deadline-ms"])

    def get_remaining_time_in_millis(self):
        return max(self._deadline - int(time.time() * 1000), 0)

    def log(self, message):
        sys.stdout.write(str(message))


class InitError(Exception):
    def __init__(self, error_type, message, trace=()):
        super().__init__(message)
        self.error_type = error_type
        self.trace = list(trace)


def describe(error):
    if isinstance(error, InitError):
        kind, trace = error.error_type, error.trace
    else:
        kind = type(error).__name__
        trace = [s for s in traceback.format_tb(error.__traceback__) if __file__ not in s and "importlib" not in s]
    return kind, {"errorMessage": str(error), "errorType": kind, "stackTrace": trace}


def load(spec):
    module, dot, name = spec.rpartition(".")
    if not dot:
        raise InitError("Runtime.MalformedHandlerName", f"Bad handler '{spec}': it is FILE.FUNCTION, as in lambda.handler")
    try:
        loaded = importlib.import_module(module.replace("/", "."))
    except ImportError as error:
        raise InitError("Runtime.ImportModuleError", f"Unable to import module '{module}': {error}", describe(error)[1]["stackTrace"])
    except SyntaxError as error:
        place = f'  File "{error.filename}" Line {error.lineno}\n    {(error.text or "").strip()}\n'
        raise InitError("Runtime.UserCodeSyntaxError", f"Syntax error in module '{module}': {error}", [place])
    try:
        return getattr(loaded, name)
    except AttributeError:
        raise InitError("Runtime.HandlerNotFound", f"Handler '{name}' missing on module '{module}'")


def marshal(value):
    def other(value):
        if type(value).__name__ == "Decimal":
            return float(value)
        raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")

    try:
        return json.dumps(value, default=other, ensure_ascii=False).encode()
    except (TypeError, ValueError) as error:
        raise InitError("Runtime.MarshalError", f"Unable to marshal response: {error}")


def main():
    # Lines leave with the event that printed them, those of stderr among those
    # of stdout, and log records as Lambda formats them.
    os.dup2(1, 2)
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(line_buffering=True)
    else:  # Python 3.6
        sys.stdout = io.TextIOWrapper(sys.stdout.detach(), encoding="utf-8", line_buffering=True)
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(logging.Formatter("[%(levelname)s]\t%(message)s"))
    logging.getLogger().addHandler(handler)
    sys.path[0] = ROOT
    links = os.environ.pop("ARC_LINKS", None)
    if links:
        sys.path[1:1] = [os.path.join(links, "vendor"), links]
    # In the zip they lie beside the handler.
    packages = os.environ.pop("ARC_PACKAGES", None)
    if packages:
        sys.path.insert(3 if links else 1, packages)
    offered = os.environ.pop("ARC_RUNTIME", None)
    if offered:
        folder, _, modules = offered.partition("\n")
        sys.meta_path.append(Runtime(folder, modules.split(",")))
    site.setquit()
    runtime = Connection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    lead_aws()
    lead_opt()
    try:
        wait_for_debugger()
        handle = load(os.environ["_HANDLER"])
    except Exception as error:
        runtime.fail("init/error", error)
        sys.exit(1)
    while True:
        headers, body = runtime.exchange("GET", "invocation/next")
        context = Context(headers)
        os.environ["_X_AMZN_TRACE_ID"] = headers.get("lambda-runtime-trace-id", "")
        answer = f"invocation/{context.aws_request_id}/"
        try:
            result = marshal(handle(json.loads(body), context))
        except Exception as error:
            runtime.fail(answer + "error", error)
        else:
            sys.stdout.flush()
            runtime.exchange("POST", answer + "response", result)


main()
