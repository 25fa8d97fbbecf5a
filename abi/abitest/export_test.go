package abitest

// Cases lists every case as "topic/name", those about modules as "load/name".
func Cases() []string {
	var names []string
	for _, topic := range topics {
		for _, c := range topic.cases() {
			names = append(names, topic.name+"/"+c.name)
		}
	}
	for _, bad := range BadModules() {
		names = append(names, "load/refused: "+bad.Name)
	}
	return append(names, "load/wasi")
}
