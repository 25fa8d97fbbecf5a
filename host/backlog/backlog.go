// Package backlog keeps bytes that wait for a peer to take them.
package backlog

// Sizes of pieces, in bytes.
const (
	leastPiece = 4 << 10

	// MostPiece is the largest, but for what is added in one go. A queue has memory
	// for as many bytes more than wait in it.
	MostPiece = 64 << 10
)

// A Queue is bytes in order, in pieces: however many there are, adding some moves
// none of the others, nor does dropping some. The zero value is empty.
//
// It has one owner. But who has been given its front may read that until it is
// dropped, while the owner adds.
type Queue struct {
	pieces [][]byte
	head   int // bytes of the first piece that are dropped
	size   int
}

// Len is how many bytes there are.
func (q *Queue) Len() int { return q.size }

// Cap is the memory that the queue has, in bytes.
func (q *Queue) Cap() (n int) {
	for _, p := range q.pieces {
		n += cap(p)
	}
	return n
}

// Add copies p to the end.
func (q *Queue) Add(p []byte) {
	if last := len(q.pieces) - 1; last >= 0 {
		piece := q.pieces[last]
		n := min(len(p), cap(piece)-len(piece))
		q.pieces[last] = append(piece, p[:n]...)
		q.size += n
		p = p[n:]
	}
	if len(p) == 0 {
		return
	}
	piece := make([]byte, 0, max(len(p), min(max(leastPiece, q.size), MostPiece)))
	q.pieces = append(q.pieces, append(piece, p...))
	q.size += len(p)
}

// Front is the next bytes, as many as lie behind each other; none if the queue is
// empty. They stay where they are until they are dropped or cut.
func (q *Queue) Front() []byte {
	if q.size == 0 {
		return nil
	}
	return q.pieces[0][q.head:]
}

// Drop removes the first n bytes of the front.
func (q *Queue) Drop(n int) {
	q.size -= n
	if q.size == 0 {
		q.emptied()
		return
	}
	if q.head += n; q.head == len(q.pieces[0]) {
		q.head, q.pieces[0] = 0, nil
		q.pieces = q.pieces[1:]
	}
}

// Cut removes the last n bytes, of which there must be as many.
func (q *Queue) Cut(n int) {
	q.size -= n
	if q.size == 0 {
		q.emptied()
		return
	}
	last := len(q.pieces) - 1
	for ; n >= len(q.pieces[last]); last-- {
		n -= len(q.pieces[last])
	}
	clear(q.pieces[last+1:])
	q.pieces = q.pieces[:last+1]
	q.pieces[last] = q.pieces[last][:len(q.pieces[last])-n]
}

// emptied keeps one piece of those there are, to be used again.
func (q *Queue) emptied() {
	q.head = 0
	if len(q.pieces) == 0 {
		return
	}
	clear(q.pieces[1:])
	if q.pieces = q.pieces[:1]; cap(q.pieces[0]) > MostPiece {
		q.pieces = nil
		return
	}
	q.pieces[0] = q.pieces[0][:0]
}
