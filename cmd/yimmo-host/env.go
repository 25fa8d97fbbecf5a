package main

import (
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
)

const (
	envPrefix  = "YIMMO_"
	envConfig  = "YIMMO_CONFIG"
	envPlugins = "YIMMO_PLUGINS_"
)

// yimmoVars picks our variables from the environment. An empty one counts as
// not set.
func yimmoVars(environ []string) map[string]string {
	vars := map[string]string{}
	for _, e := range environ {
		name, text, _ := strings.Cut(e, "=")
		if strings.HasPrefix(name, envPrefix) && text != "" && !kubernetes(name, text) {
			vars[name] = text
		}
	}
	return vars
}

var serviceLink = regexp.MustCompile(`^YIMMO_(.+_)?(SERVICE_HOST|SERVICE_PORT(_.+)?|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)$`)

// kubernetes tells whether a variable is one of those that Kubernetes sets in
// every container for each service; one named "yimmo" or "yimmo-host" makes
// YIMMO_PORT=tcp://... and its kin, which nobody meant for us.
func kubernetes(name, text string) bool {
	if strings.HasPrefix(name, envPlugins) {
		return false
	}
	return serviceLink.MatchString(name) ||
		strings.HasSuffix(name, "_PORT") && strings.Contains(text, "://")
}

// envName is the variable that sets key: "limits.turn" -> "YIMMO_LIMITS_TURN".
func envName(key string) string {
	return envPrefix + strings.ToUpper(strings.NewReplacer(".", "_", "-", "_").Replace(key))
}

// readEnv applies the variables of all keys outside the plugins, and reports
// the unknown ones among them.
func (l *loader) readEnv(vars map[string]string) {
	keys := map[string]string{}
	leaves(reflect.ValueOf(&l.settings).Elem(), nil, func(path []string, _ value) {
		key := strings.Join(path, ".")
		keys[envName(key)] = key
	})
	for _, name := range slices.Sorted(maps.Keys(vars)) {
		switch key, known := keys[name]; {
		case known:
			l.setText(place{name: name}, key, vars[name])
		case name != envConfig && !strings.HasPrefix(name, envPlugins):
			l.unknownVar(name)
		}
	}
}

func (l *loader) unknownVar(name string) {
	known := []string{envConfig}
	for _, plugin := range append(slices.Sorted(maps.Keys(l.settings.Plugins)), "name") {
		for _, key := range schema(plugin) {
			known = append(known, envName(key))
		}
	}
	text := "unknown variable: yimmo-host config default prints every key, limits.turn is YIMMO_LIMITS_TURN"
	if like := nearest(name, known, max(1, len(name)/4)); like != "" {
		text = fmt.Sprintf("unknown variable, did you mean %s?", like)
	}
	l.problems = append(l.problems, problem{place{name: name}, "", text})
}

// readPluginEnv applies the variables of plugins: those of plugins that exist,
// and YIMMO_PLUGINS_NAME_PATH, which makes plugin "name".
func (l *loader) readPluginEnv(vars map[string]string) {
	names := slices.DeleteFunc(slices.Sorted(maps.Keys(vars)), func(name string) bool {
		return !strings.HasPrefix(name, envPlugins) || name == envName("plugins_dir")
	})
	for _, name := range names {
		rest := strings.TrimPrefix(name, envPlugins)
		fresh, isPath := strings.CutSuffix(rest, "_PATH")
		if _, _, known := l.pluginVar(rest); !known && isPath && fresh != "" {
			l.settings.Plugins[strings.ToLower(fresh)] = &plugin{}
		}
	}
	for _, name := range names {
		owner, key, known := l.pluginVar(strings.TrimPrefix(name, envPlugins))
		if !known {
			l.unknownVar(name)
			continue
		}
		l.setPluginVar(place{name: name}, owner, key, vars[name])
	}
}

// pluginVar splits "ECHO_CONFIG_GREETING" into the plugin that it names, the
// longest if several fit, and the rest, "CONFIG_GREETING".
func (l *loader) pluginVar(rest string) (owner, key string, known bool) {
	for _, name := range slices.Sorted(maps.Keys(l.settings.Plugins)) {
		upper := strings.TrimPrefix(envName(name), envPrefix)
		after, ok := strings.CutPrefix(rest, upper+"_")
		if !ok || known && len(name) <= len(owner) {
			continue
		}
		if _, ok := pluginField(&plugin{}, after); ok {
			owner, key, known = name, after, true
		}
	}
	return owner, key, known
}

// pluginField finds the setting that the end of a variable's name means.
func pluginField(p *plugin, upper string) (key string, ok bool) {
	if name, ok := strings.CutPrefix(upper, "CONFIG_"); ok && name != "" {
		return "config", true
	}
	leaves(reflect.ValueOf(p).Elem(), nil, func(path []string, _ value) {
		if path[0] != "config" && strings.ToUpper(path[0]) == upper {
			key, ok = path[0], true
		}
	})
	return key, ok
}

func (l *loader) setPluginVar(from place, owner, upper, text string) {
	p, prefix := l.settings.Plugins[owner], "plugins."+owner+"."
	if name, ok := strings.CutPrefix(upper, "CONFIG_"); ok {
		name = configName(p.Config, name)
		l.places[prefix+"config."+name] = from
		if p.Config == nil {
			p.Config = Table{}
		}
		p.Config[name] = text
		return
	}
	key, _ := pluginField(p, upper)
	f, _ := field(reflect.ValueOf(p).Elem(), key)
	l.setLeaf(from, prefix+key, f.Addr().Interface().(value), text)
}

// configName finds the key of a plugin's own table that a variable means:
// one that the file has, however it is spelt, else the name in small letters.
func configName(t Table, upper string) string {
	for _, name := range slices.Sorted(maps.Keys(t)) {
		if strings.TrimPrefix(envName(name), envPrefix) == upper {
			return name
		}
	}
	return strings.ToLower(upper)
}
