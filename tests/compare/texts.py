# SPDX-License-Identifier: MIT
"""Texts to ask about: generated, assembled from tokens, and real files mutated.

Text number i depends on (seed, i, releases, corpus) alone.  There is no aim at validity: a text
should sit close to a decision, be it the reader's (comments, quotes, numbers) or a field's.
"""
import json
import pathlib
import random

# Name, how a file spells it, kind, first release that knows it, first that no longer does.
# Kinds: b boolean, i integer, f fraction, s stage, d device, p path, w strategy, n interval, l list, o any object.
FIELDS = {
    "": """
        stage - s; contiguous_gradients - b; reduce_scatter - b; reduce_bucket_size - i; allgather_partitions - b
        allgather_bucket_size - i; overlap_comm - b; load_from_fp32_weights - b; elastic_checkpoint - b
        sub_group_size - i; cpu_offload_param - b; cpu_offload_use_pin_memory - b; cpu_offload - b
        prefetch_bucket_size stage3_ i; param_persistence_threshold stage3_ i; model_persistence_threshold stage3_ i
        max_live_parameters stage3_ i; max_reuse_distance stage3_ i; gather_16bit_weights_on_model_save stage3_ b
        stage3_gather_fp16_weights_on_model_save - b; ignore_unused_parameters - b; legacy_stage1 - b
        round_robin_gradients - b; memory_efficient_linear - b 0.9.0; mics_shard_size - i 0.9.2 0.19.7
        mics_hierarchical_params_gather - b 0.9.2 0.19.7; zero_hpz_partition_size - i 0.10.0
        zero_quantized_weights - b 0.10.0; zero_quantized_gradients - b 0.10.0; pipeline_loading_checkpoint - b 0.10.1
        override_module_apply - b 0.10.1; zero_quantized_nontrainable_weights - b 0.10.2
        use_multi_rank_bucket_allreduce - b 0.12.4; use_all_reduce_for_fetch_params stage3_ b 0.14.3
        module_granularity_threshold stage3_ i 0.16.0; zeropp_loco_param - o 0.16.2 0.19.8
        log_trace_cache_warnings - b 0.16.4; enable_sanity_checks - b 0.17.6; allgather_sequential stage3_ b 0.18.5
        save_muon_momentum_buffer_in_memory - b 0.18.9; compute_grad_norm - b 0.19.7; parameter_alignment - b 0.19.7
        offload_param - offload_param; offload_optimizer - offload_optimizer; zenflow - zenflow 0.17.5
        leaf_module - leaf_module 0.18.0""",
    "offload_param": "device - d; nvme_path - p; buffer_count - i; buffer_size - i; max_in_cpu - i; pin_memory - b",
    "offload_optimizer": """
        device - d; nvme_path - p; buffer_count - i; pin_memory - b; pipeline_read - b; pipeline_write - b
        fast_init - b; ratio - f 0.12.3; super_offload - b 0.18.0; cpuadam_cores_perc - f 0.18.0""",
    "zenflow": """
        topk_ratio - f; select_strategy - w; select_interval - n; update_interval - n; overlap_step - b; offload - b
        auto_ratio - f; full_warm_up_rounds - i; pt_reserved_cores_perc - f 0.17.6; steps_per_epoch - i""",
    "leaf_module": "classes - l; names - l; name_suffixes - l",
}
COMMON = {"stage", "device"}  # nearly every section has them
GOOD = {
    "b": ["true", "false"],
    "i": ["5e8", "1e9", "2e8", "500000000", "1e5", "0", "1", "8", "3.0", "10000000000", "1e10", "9223372036854775807"],
    "f": ["0.1", "0.5", "1.0", "0", "1", "0.0", "0.999", "1e-3"],
    "s": ["0", "1", "2", "3", "3", "3"],
    "d": ['"cpu"', '"nvme"', '"none"'],
    "p": ['"/local_nvme"', "null", '"/data//nvme/./0/"', '""', '"//x/../y"', '"~"'],
    "w": ['"auto"', '"step"', '"epoch"'],
    "n": ['"auto"', "4", "1", "10"],
    "l": ["[]", '["A"]', '["A", "B", "A"]', '"A"'],
    "o": ["{}", "null", '{"err_beta": 0.1, "reset_T": 1024}', '{"a": [1, {"b": "auto"}], "c": 3.0}'],
}
WORDS = """true True TRUE false False t f y n yes no on off Yes NO oN null None none auto AUTO cpu CPU nvme gpu step epoch
    NaN nan inf -inf Infinity -Infinity x disabled weights optimizer_states""".split()
SPACES = [" ", "\\t", "\\n", "\\u00a0", "\\u2003", "\\u200b", "\\u0085", "\\u001f", "\\ufeff"]
OTHERS = ["null", "[]", "{}", "[1]", '["3"]', "[null]", "[[]]", '{"a": 1}', '{"device": "cpu"}', '[["device", "cpu"]]', '[{}]', '""', '" "']
STRANGE_KEYS = ["bogus", "strict", "self", "data", "pipeline", "", " ", "__init__", "model_config", "replace_method", "type", "a.b", "a/b",
                "a~b", "é", "\U0001f600", "comment", "enabled", "elastic_checkpoints", "cls", "__root__"]
# What the readers decide on.
TOKENS = ["{", "}", "[", "]", ",", ":", '"', "'", "'''", '"""', "\\", "#", "//", "/*", "*/", "/", "*", "\n", "\n", " ", "  ", "\t", "\r", "\r\n", "-", "+",
          ".", "0", "1", "12", "007", "1e5", "1E+2", "e", "1e10", "9999999999", "1e400", "1e-400", "-0", "-0.0", "0.5", ".5", "1.", "3.0", "true", "false",
          "null", "True", "NaN", "Infinity", "a", "b c", "key", '"a"', "'b'", "\\n", "\\u0041", "\\ud83d\\ude00", "\\ud800", "\\x41", "\\u00e", "é",
          "\u00a0", "\u2003", "\u2028", "\u0085", "\ufeff", "\u200b", "\x0b", "\x0c", "\x00", "\x1f", "\x7f", "\u0663", "\U0001f600", "_", "{}", "[]", '""', "''",
          "a:", '"a":', "zero_optimization", "stage", ": {", "}\n", ",\n", "# c\n", "// c\n", "/* c */", "'''\n", "\n  ", "\n    '''"]


def version(release):
    return tuple(map(int, release.split(".")))


def table(release):
    """{section: [(name, alias, kind)]} as that release has it."""
    out = {}
    for section, rows in FIELDS.items():
        out[section] = []
        for row in rows.replace("\n", ";").split(";"):
            if not row.strip():
                continue
            name, prefix, kind, since, until = (row.split() + ["", ""])[:5]
            if (since and version(release) < version(since)) or (until and version(release) >= version(until)):
                continue
            out[section].append((name, name if prefix == "-" else prefix + name, kind))
    return out


class Texts:

    def __init__(self, seed, releases, corpus=None):
        self.seed = seed
        self.tables = [table(release) for release in releases]
        self.files = []
        for path in sorted(pathlib.Path(corpus).rglob("*")) if corpus else ():
            if path.suffix in (".json", ".hjson", ".config") and path.is_file():
                try:
                    self.files.append(path.read_bytes().decode("utf-8"))
                except UnicodeDecodeError:
                    pass

    def begin(self, which):
        self.rng = random.Random(which)
        self.table = self.rng.choice(self.tables)

    def text(self, i):
        """(id, text)"""
        self.begin("%d/%d" % (self.seed, i))
        roll = self.rng.random()
        if roll < 0.10:
            kind, text = "one", self.one_value()
        elif roll < 0.45 or (roll < 0.65 and not self.files):
            kind, text = "document", self.document()
            if self.chance(0.2):
                kind, text = "damaged", self.mutate(text)
        elif roll < 0.65:
            kind, text = "file", self.mutate(self.rng.choice(self.files))
        elif roll < 0.80:
            kind, text = "member", self.member_of_tokens()
        elif roll < 0.99:
            kind, text = "tokens", "".join(self.rng.choice(TOKENS) for _ in range(self.rng.randrange(1, 16)))
        else:
            kind, text = "nested", self.nested()
        return "%s/%d/%d" % (kind, self.seed, i), text

    def chance(self, p):
        return self.rng.random() < p

    # ---- values

    def number(self):
        """Something like a number: digits, and now and then what may or may not belong there."""
        rng = self.rng
        roll = rng.random()
        if roll < 0.25:
            edge = rng.choice([0, 1, 3, 10**10, 2**31, 2**53, 2**63, 2**64, 10**19, 10**308])
            return "%s%d%s" % (rng.choice(["", "-"]), max(0, edge + rng.randrange(-2, 3)), rng.choice(["", "", ".0", "e0", ".5"]))
        if roll < 0.255:  # Python reads and writes integers of up to 4300 digits
            return rng.choice("19") * rng.choice([400, 4299, 4300, 4301]) + rng.choice(["", "", ".0"])
        if roll < 0.35:
            return repr(rng.choice([rng.random(), rng.uniform(-2, 2), 10 ** rng.uniform(-325, 308), rng.uniform(9e9, 1.1e10), rng.random() * 2**64]))
        digits = lambda: "".join(rng.choice("0123456789") for _ in range(rng.choice([1, 1, 2, 3, 6, 17, 20])))
        text = rng.choice(["", "", "", "-", "-", "+", "--"]) + rng.choice([digits(), digits(), "0", "00", "", "0x"])
        if self.chance(0.4):
            text += "." + rng.choice([digits(), "0", "", "000"])
        if self.chance(0.3):
            text += rng.choice("eE") + rng.choice(["", "+", "-"]) + rng.choice([digits()[:3], str(rng.randrange(25)), "", "0"])
        if self.chance(0.15):
            at = rng.randrange(len(text) + 1)
            text = text[:at] + rng.choice(["_", "_", "__", ",", " ", "٣", "３", "f", "L", "\u00b2"]) + text[at:]
        return text

    def string_content(self):
        rng = self.rng
        roll = rng.random()
        if roll < 0.4:
            text = rng.choice(WORDS)
        elif roll < 0.8:
            text = self.number()
        else:
            text = "".join(rng.choice(["a", "b", " ", "/", "\\\\", "\\n", "\\u0000", "é", "\U0001f600", "\\ud83d", "\\ude00", "\\/", "'", "#", ".", "..", "//"])
                           for _ in range(rng.randrange(1, 8)))
        if self.chance(0.15):
            text = rng.choice([rng.choice(SPACES) + text, text + rng.choice(SPACES)])
        return text

    def wild(self):
        roll = self.rng.random()
        if roll < 0.35:
            return '"' + self.string_content() + '"'
        if roll < 0.6:
            return self.number()
        if roll < 0.75:
            return self.rng.choice(OTHERS)
        if roll < 0.85:
            return self.rng.choice(WORDS)
        return self.rng.choice(GOOD[self.rng.choice("bifsdpwnlo")])

    def value(self, kind, wild, depth):
        roll = self.rng.random()
        if roll < wild:
            return self.wild()
        if roll < wild + 0.06:
            return '"auto"'
        return self.rng.choice(GOOD[kind]) if kind in GOOD else self.section(kind, wild, depth + 1)

    # ---- documents: a list of (key, text or list) pairs, then written in some style

    def section(self, name, wild, depth=0):
        rng = self.rng
        rows = self.table[name]
        many = rng.choice([0.03, 0.1, 0.2]) if not name else rng.choice([0.2, 0.5])
        out = []
        for field, alias, kind in rows:
            if not self.chance(0.8 if field in COMMON else many):
                continue
            key = alias if self.chance(0.85) else field
            out.append((key, self.value(kind, wild, depth)))
            if alias != field and self.chance(0.02):
                out.append((field, self.value(kind, wild, depth)))
        if self.chance(0.05):
            out.append((rng.choice(STRANGE_KEYS), self.wild()))
        if out and self.chance(0.04):  # a typing mistake, or a key of another section
            at = rng.randrange(len(out))
            key = out[at][0]
            cut = rng.randrange(len(key) + 1)
            out[at] = (rng.choice([key[:cut] + key[cut + 1:], key.upper(), key + "s", key.replace("_", "-"), rng.choice(self.table["offload_param"])[0]]), out[at][1])
        if self.chance(0.5):
            rng.shuffle(out)
        if self.chance(0.97):
            out = list(dict(out).items())
        return out

    def document(self):
        rng = self.rng
        wild = rng.choice([0, 0, 0.02, 0.05, 0.15, 0.5])
        out = []
        if self.chance(0.5):
            out.append(("train_batch_size", rng.choice(["8", '"auto"', self.number()])))
        if self.chance(0.3):
            out.append(("fp16", [("enabled", rng.choice(["true", '"auto"'])), ("loss_scale", self.number())]))
        roll = rng.random()
        if roll < 0.04:
            out.append(("zero_optimization", rng.choice(["true", "false", self.wild()])))
            out.append(("allgather_size", self.wild()))
        elif roll < 0.98:
            out.append(("zero_optimization", self.section("", wild)))
        rng.shuffle(out)
        style = rng.choice(["line", "line", "indent", "loose", "loose", "bare"])
        text = self.write(out, style)
        if style == "bare":
            text = text.strip()[1:-1]
        if self.chance(0.04):
            text = rng.choice(["\ufeff", "\n", "# c\n", " "]) + text
        if self.chance(0.04):
            text += rng.choice(["\n", " ", "\n# c", "//", "\x00", "}", ",", "\n\n"])
        if self.chance(0.03):
            text = text.replace("\n", rng.choice(["\r\n", "\r"]))
        return text

    def write(self, value, style, depth=0):
        if isinstance(value, str):
            return value
        rng = self.rng
        if style == "line":
            return "{" + ", ".join(json.dumps(k) + ": " + self.write(v, style) for k, v in value) + "}"
        pad, close = "  " * (depth + 1), "  " * depth
        if style == "indent":
            return "{\n" + ",\n".join(pad + json.dumps(k, ensure_ascii=False) + ": " + self.write(v, style, depth + 1) for k, v in value) + "\n" + close + "}"
        lines = []
        for key, v in value:
            text = self.write(v, style, depth + 1)
            if text[:1] == '"' and "\\" not in text and self.chance(0.5):
                bare = text[1:-1]
                text = rng.choice([bare, "'" + bare + "'", "'''" + bare + "'''", "\n" + pad + "'''\n" + pad + bare + "\n" + pad + "'''"])
            key = key if key.isidentifier() and self.chance(0.6) else json.dumps(key)
            lines.append(pad + key + rng.choice([":", ": ", " : ", ":\n" + pad]) + text + rng.choice([",", ",", "", "", "", " ", " # c", " // c", ", // c", " /* c */"] + [",,"] * self.chance(0.1)))
            if self.chance(0.06):
                lines.append(pad + rng.choice(["# note", "// note", "/* note */", "/* two\n lines */", ""]))
        return "{\n" + "\n".join(lines) + "\n" + close + "}"

    def one_value(self):
        """One member, one value: nothing else can be at fault."""
        section = self.rng.choice(["", "", "", "", "offload_param", "offload_optimizer", "zenflow", "leaf_module"])
        section = section if self.table.get(section) and any(row[0] == section for row in self.table[""]) else ""
        field, alias, kind = self.rng.choice(self.table[section])
        document = [(alias if self.chance(0.8) else field, self.wild())]
        if section:
            document = [(section, document)]
        if self.chance(0.5):
            document.insert(self.rng.randrange(2), ("stage", self.rng.choice("0123")))
        return self.write([("zero_optimization", document)], self.rng.choice(["line", "indent", "loose"]))

    # ---- the readers' side

    def member_of_tokens(self):
        rng = self.rng
        if self.chance(0.25):  # nearly strict JSON
            value = rng.choice([self.wild(), self.number(), '"%s"' % self.string_content(), '"%s%s"' % (rng.choice(TOKENS), rng.choice(TOKENS))])
            return rng.choice(['{"a": %s}', "[%s]", '{"a": 1, "a": %s}', '{"a":[1,%s],"b":{}}', "%s", " %s\n"]) % value
        soup = lambda most: "".join(rng.choice(TOKENS) for _ in range(rng.randrange(most)))
        key = rng.choice(["a", '"a"', "'a'", "a b", soup(3), '"%s"' % self.string_content(), self.number()])
        value = rng.choice([self.wild(), self.number(), self.string_content(), "'%s'" % self.string_content(), "'''%s'''" % soup(6), '"%s"' % soup(4), soup(6),
                            "[%s%s %s]" % (self.wild(), rng.choice([",", "", "\n", " # c\n"]), self.wild()), "'''\n   %s\n  %s\n   '''" % (soup(3), soup(3))])
        return rng.choice(["{%s:%s}", "{%s: %s\n}", "{\n  %s: %s\n}\n", "%s: %s", "%s:%s\n", "{%s : %s # c\n}", "{%s: %s, b: 2\n}", "{x: 1, %s: %s}", "{b: [\n%s, %s\n]}",
                           "{/**/%s/**/:/**/%s/**/}", "{zero_optimization: {\n%s: %s\n}}"]) % (key, value)

    def nested(self):
        depth = self.rng.randrange(1, 130)
        open_, close = self.rng.choice([("[", "]"), ('{"a":', "}"), ("{a:", "}"), ("[[],", "]"), ('{"b":1,"a":[', "]}")])
        inner = self.rng.choice(["1", "null", "[]", self.wild()])
        text = open_ * depth + inner + close * (depth - self.rng.choice([0, 0, 0, 0, 1, -1]))
        return self.rng.choice(["%s", '{"x": %s}', "x: %s", '{"zero_optimization": {"x": %s}}']) % text

    def mutate(self, text):
        """A few edits, each at a random place: cut, insert, copy, exchange a value or a line."""
        rng = self.rng
        for _ in range(rng.choice([1, 1, 1, 2, 3])):
            at = rng.randrange(len(text) + 1)
            to = min(len(text), at + rng.choice([1, 1, 1, 2, 5, 20]))
            roll = rng.random()
            if roll < 0.25:
                text = text[:at] + text[to:]
            elif roll < 0.55:
                text = text[:at] + rng.choice(TOKENS) + text[at:]
            elif roll < 0.62:
                text = text[:to] + text[at:]
            elif roll < 0.87:  # exchange the value behind some colon, or the word around the place
                colon = text.find(":", at)
                end = min((e for e in (text.find(c, colon + 1) for c in ",}\n") if e > 0), default=-1)
                if 0 <= colon < end:
                    text = text[:colon + 1] + " " + self.wild() + text[end:]
            elif roll < 0.95:
                lines = text.split("\n")
                a, b = rng.randrange(len(lines)), rng.randrange(len(lines))
                lines[a] = rng.choice([lines[b], lines[b], lines[a].rstrip(","), "", lines[a] + ",", "# " + lines[a], lines[a].replace('"', "'"), lines[a].replace('"', "")])
                text = "\n".join(lines)
            else:
                text = rng.choice([text.replace("\n", "\r\n"), text.replace("\n", "\r"), text.replace("\n", " "), text.replace(",", ""), text.replace('"', "'"),
                                   text.replace('"', ""), "\ufeff" + text, text.strip().strip("{}"), text[:at], text.replace("true", "True").replace("false", "False")])
        return text
